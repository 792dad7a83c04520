internal import LabelboxAPI
internal import Settings
internal import SystemPackage

/// Reads the key anew for each request, so that a rotated one is used at once.
struct FoundCredentials: CredentialSource {
    private let file: FilePath?
    private let environment: [String: String]

    /// Looks where the configuration says, else for systemd's credential, else in the environment.
    init(file: FilePath?, environment: [String: String]) {
        self.file = file
        self.environment = environment
    }

    func apiKey() throws -> String { try APIKey.find(file: file, environment: environment).key.secret }
}
