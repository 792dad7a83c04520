import Glibc
import SystemPackage
import Testing
import Transport

@Suite("TLS", .timeLimit(.minutes(1)))
struct TLSTests {
    @Test("a certificate that nobody vouches for is refused, and nothing was sent")
    func selfSigned() async throws {
        let server = try OpenSSLServer()
        let error = try #require(await failure(makeTransport(), HTTPRequest(.get, url: server.url("127.0.0.1"))))
        #expect(error.kind == .tls)
        #expect(error.reach == .notSent)
    }

    @Test("it is accepted when its authority is configured")
    func configuredAuthority() async throws {
        let server = try OpenSSLServer()
        let transport = try makeTransport(caFile: server.certificate)
        let response = try await transport.send(HTTPRequest(.get, url: server.url("127.0.0.1")))
        #expect(response.status == 200)
    }

    @Test("but not for another name")
    func otherName() async throws {
        let server = try OpenSSLServer()
        let transport = try makeTransport(caFile: server.certificate)
        let error = try #require(await failure(transport, HTTPRequest(.get, url: server.url("localhost"))))
        #expect(error.kind == .tls)
        #expect(error.reach == .notSent)
    }

    @Test("an authority file that is not there is an error of TLS")
    func missingAuthority() async throws {
        let server = try OpenSSLServer()
        let transport = try makeTransport(caFile: "/nonexistent/ca.pem")
        #expect(await failure(transport, HTTPRequest(.get, url: server.url("127.0.0.1")))?.kind == .tls)
    }

    @Test("a server that speaks no TLS")
    func plainServer() async throws {
        let server = LoopbackServer { client in
            client.write("HTTP/1.1 400 Bad Request\r\n\r\n")
            client.hang()
        }
        let error = try #require(await failure(makeTransport(), HTTPRequest(.get, url: server.url(scheme: "https"))))
        #expect(error.kind == .tls)
        #expect(error.reach == .notSent)
    }
}

/// `openssl s_server` with a certificate of its own for 127.0.0.1.
private final class OpenSSLServer {
    let certificate: String
    private let folder: TemporaryFolder
    private let output: UnsafeMutablePointer<FILE>
    private let process: pid_t
    private let port: String

    init() throws {
        folder = try TemporaryFolder()
        certificate = folder.path.appending("cert.pem").string
        let key = folder.path.appending("key.pem").string
        // The shell says its process id and becomes the server, which says "ACCEPT 127.0.0.1:PORT" once it listens.
        let script = """
            exec 2>/dev/null </dev/null; echo $$
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=tests \
                -addext subjectAltName=IP:127.0.0.1 -keyout \(key) -out \(certificate) >/dev/null
            exec openssl s_server -accept 127.0.0.1:0 -cert \(certificate) -key \(key) -www
            """
        output = try #require(popen(script, "re"))
        process = try #require(pid_t(Self.line(of: output)))
        var line = Self.line(of: output)
        while !line.isEmpty, !line.hasPrefix("ACCEPT") { line = Self.line(of: output) }
        port = String(try #require(line.split(separator: ":").last, "openssl s_server has ended"))
    }

    deinit {
        kill(process, SIGTERM)
        pclose(output)
    }

    func url(_ host: String) -> String { "https://\(host):\(port)/" }

    private static func line(of file: UnsafeMutablePointer<FILE>) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard fgets(&buffer, 256, file) != nil else { return "" }
        return String(decoding: buffer.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
