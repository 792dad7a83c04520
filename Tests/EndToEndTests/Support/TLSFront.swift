import Foundation

/// TLS in front of a server on loopback, with whatever certificate a test wants at the time.
final class TLSFront: Sendable {
    /// Certificates of which all but one are vouched for by ``authorities``.
    enum Certificate: String, CaseIterable, Sendable {
        case good, expired, unknown
        case ofAnotherName = "other-name"
    }

    let port: Int
    /// What the daemon's `ca_file` names.
    let authorities: URL
    private let folder: URL
    private let child: Child

    /// Starts it in front of a port.
    static func start(before server: Int, _ certificate: Certificate) async throws -> TLSFront {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "datarowd-tls-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for certificate in Certificate.allCases { try await make(certificate, in: folder) }
        try use(certificate, in: folder)
        let authorities = folder.appending(path: "authorities.pem")
        let known = try Certificate.allCases.filter { $0 != .unknown }
            .map { try String(contentsOf: folder.appending(path: "\($0.rawValue).crt"), encoding: .utf8) }
        try Data(known.joined().utf8).write(to: authorities)

        let portFile = folder.appending(path: "port")
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "tls.py")
        let child = try Child(
            URL(filePath: "/usr/bin/env"),
            ["python3", "-B", script.path, folder.appending(path: "used.pem").path, "\(server)", portFile.path],
            output: folder.appending(path: "tls.log"))
        do {
            let port = try await eventually(within: .seconds(30), "there is a port with TLS") {
                try? Int(String(contentsOf: portFile, encoding: .utf8))
            }
            return TLSFront(port, authorities, folder, child)
        } catch {
            child.kill()
            throw error
        }
    }

    private init(_ port: Int, _ authorities: URL, _ folder: URL, _ child: Child) {
        self.port = port
        self.authorities = authorities
        self.folder = folder
        self.child = child
    }

    var endpoint: String { "https://127.0.0.1:\(port)/graphql" }

    /// Shows another certificate to those who connect from now on.
    func use(_ certificate: Certificate) throws { try Self.use(certificate, in: folder) }

    /// Has the unknown certificate vouched for, too.
    func vouchForUnknown() throws {
        let all = try Data(contentsOf: authorities) + Data(contentsOf: folder.appending(path: "unknown.crt"))
        try all.write(to: authorities, options: .atomic)
    }

    func close() {
        child.kill()
        try? FileManager.default.removeItem(at: folder)
    }

    private static func use(_ certificate: Certificate, in folder: URL) throws {
        let whole = try ["crt", "key"].map {
            try String(contentsOf: folder.appending(path: "\(certificate.rawValue).\($0)"), encoding: .utf8)
        }
        try Data(whole.joined().utf8).write(to: folder.appending(path: "used.pem"), options: .atomic)
    }

    private static func make(_ certificate: Certificate, in folder: URL) async throws {
        let base = folder.appending(path: certificate.rawValue).path
        let name = certificate == .ofAnotherName ? "DNS:elsewhere.example" : "IP:127.0.0.1"
        // `openssl req -x509` refuses to make one that has expired; `openssl x509` does not.
        let script = """
            openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" \
                -addext "subjectAltName=$2" -keyout "$3.key" -out "$3.csr" &&
            openssl x509 -req -in "$3.csr" -signkey "$3.key" -days "$4" -copy_extensions copyall -out "$3.crt"
            """
        let made = try await output(
            of: "/bin/sh",
            ["-c", script, "sh", certificate.rawValue, name, base, certificate == .expired ? "-1" : "3650"])
        guard made.ending == .exited(0) else { throw Trouble("no certificate: \(made.text)") }
    }
}
