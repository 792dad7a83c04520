import Foundation
import Settings
import SystemPackage
import Testing

@Suite("API key")
struct APIKeyTests {
    @Test("it is looked for in the named file, then in the credential, then in the environment")
    func order() throws {
        try TemporaryFolder.use { folder in
            let file = folder.appending("key")
            try file.write("from-file\n")
            try folder.appending("labelbox-api-key").write("from-credential\n")
            let environment = ["CREDENTIALS_DIRECTORY": folder.string, "LABELBOX_API_KEY": "from-environment"]
            let first = try APIKey.find(file: file, environment: environment)
            #expect(first.key.secret == "from-file")
            #expect(first.source == .file(file))
            let second = try APIKey.find(file: nil, environment: environment)
            #expect(second.key.secret == "from-credential")
            #expect(second.source == .systemdCredential(folder.appending("labelbox-api-key")))
            let third = try APIKey.find(
                file: nil,
                environment: ["CREDENTIALS_DIRECTORY": "/nonexistent", "LABELBOX_API_KEY": "from-environment"])
            #expect(third.key.secret == "from-environment")
            #expect(third.source == .environment)
        }
    }

    @Test("without any of them the message names all three")
    func missing() throws {
        let found = try #require(message { try APIKey.find(file: nil, environment: [:]) })
        for way in ["labelbox.api_key_file", "labelbox-api-key", "LABELBOX_API_KEY"] { #expect(found.contains(way)) }
    }

    @Test("a named file that cannot be used is an error, whatever else there is")
    func noFallback() throws {
        let found = message {
            try APIKey.find(file: "/nonexistent/key", environment: ["LABELBOX_API_KEY": "from-environment"])
        }
        #expect(found?.contains("file /nonexistent/key: No such file or directory") == true)
    }

    @Test("only a regular file is read, not a folder or a FIFO", .timeLimit(.minutes(1)))
    func regular() throws {
        try TemporaryFolder.use { folder in
            #expect(message { try APIKey.find(file: folder, environment: [:]) }?.contains("not a regular file") == true)
            let fifo = folder.appending("fifo")
            #expect(fifo.withPlatformString { mkfifo($0, 0o600) } == 0)
            #expect(message { try APIKey.find(file: fifo, environment: [:]) }?.contains("not a regular file") == true)
        }
    }

    @Test(
        "a file that everybody can read earns a warning", arguments: [(0o644, 1), (0o640, 0), (0o600, 0), (0o400, 0)])
    func permissions(mode: Int, warnings: Int) throws {
        try TemporaryFolder.use { folder in
            let file = folder.appending("key")
            try file.write("abc")
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.string)
            #expect(try APIKey.find(file: file, environment: [:]).warnings.count == warnings)
        }
    }

    @Test(
        "a key is one word of visible ASCII; white space about it does not count",
        arguments: [
            ("abc", "abc"), (" \tabc\r\n", "abc"), ("", nil), ("\n", nil), ("a b", nil), ("a\nb", nil), ("ключ", nil),
            ("a\u{7F}", nil), ("a\r\nX-Injected: 1", nil),
        ] as [(String, String?)])
    func shape(text: String, key: String?) {
        #expect(APIKey(text)?.secret == key)
    }

    @Test("a file without a key in it is told by its name and not by its content")
    func malformed() throws {
        try TemporaryFolder.use { folder in
            let file = folder.appending("key")
            try file.write("two s3cret words")
            let found = try #require(message { try APIKey.find(file: file, environment: [:]) })
            #expect(found.contains(file.string))
            #expect(!found.contains("s3cret"))
        }
    }

    @Test("it does not show itself")
    func redacted() throws {
        let key = try #require(APIKey("s3cret"))
        var dumped = ""
        dump(key, to: &dumped)
        let found = try APIKey.find(file: nil, environment: ["LABELBOX_API_KEY": "s3cret"])
        for text in ["\(key)", String(describing: key), String(reflecting: key), dumped, "\(found)", "\([key])"] {
            #expect(!text.contains("s3cret"))
        }
    }
}
