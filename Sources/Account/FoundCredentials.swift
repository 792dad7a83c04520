internal import LabelboxAPI
internal import Locking
internal import Settings
internal import SystemPackage

/// Reads the key anew for each request, so that a rotated one is used at once.
final class FoundCredentials: CredentialSource {
    private let file: Locked<FilePath?>
    private let environment: [String: String]

    /// Looks where the configuration says, else for systemd's credential, else in the environment.
    init(file: FilePath?, environment: [String: String]) {
        self.file = Locked(file)
        self.environment = environment
    }

    /// Looks in another file from now on.
    func look(in file: FilePath?) { self.file.withLock { $0 = file } }

    func apiKey() throws -> String {
        try APIKey.find(file: file.withLock { $0 }, environment: environment).key.secret
    }
}
