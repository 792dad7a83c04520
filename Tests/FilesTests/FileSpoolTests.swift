import Files
import Glibc
import SystemPackage
import TestSupport
import Testing

/// What several users put into one folder for the daemon to take.
@Suite("File spool")
struct FileSpoolTests {
    private let root: TemporaryFolder
    private let spool: FileSpool

    init() throws {
        root = try TemporaryFolder()
        spool = FileSpool(root.path.appending("requests"))
        try spool.prepare()
    }

    private func mode(_ path: FilePath) throws -> mode_t {
        var look = stat()
        try #require(lstat(path.string, &look) == 0)
        return look.st_mode & 0o7777
    }

    private func put(_ text: String, _ name: String) throws { try spool.put(Array(text.utf8), named: name) }

    private func names() throws -> [String] { try spool.items(limit: 100).map(\.name) }

    @Test("the group may put files there and nobody touches another's, also where the folder was otherwise")
    func modes() throws {
        #expect(try mode(spool.folder) == 0o1770)
        chmod(spool.folder.string, 0o777)
        try spool.prepare()
        #expect(try mode(spool.folder) == 0o1770)
        // The daemon need not be of the group that the file belongs to.
        try put("{}", "1-a.json")
        #expect(try mode(spool.folder.appending("1-a.json")) == 0o644)
    }

    @Test("what was put is read whole, with whose it is, in the order of names, so many at a time")
    func order() throws {
        for number in [3, 1, 2] { try put("content \(number)", "\(number).json") }
        let items = try spool.items(limit: 2)
        #expect(items.map(\.name) == ["1.json", "2.json"])
        #expect(items.allSatisfy { $0.owner == getuid() })
        #expect(try items.map { String(decoding: try $0.content.get(), as: UTF8.self) } == ["content 1", "content 2"])
        try spool.remove("1.json")
        try spool.remove("1.json")
        #expect(try names() == ["2.json", "3.json"])
    }

    @Test("what is in the making, has another end, or is a folder is not taken for a request")
    func others() throws {
        for name in [".1.json", "bell", "notes.txt", ".77.datarowd-tmp"] {
            try root.write("{}", to: FilePath("requests/\(name)"))
        }
        // One that could not be taken away would be found again and again, in the place of others.
        try root.makeFolder("requests/0.json")
        try put("{}", "1.json")
        #expect(try names() == ["1.json"])
        let sights = try spool.sights(limit: 100)
        #expect(sights.map(\.name) == [".1.json", ".77.datarowd-tmp", "0.json", "1.json", "bell", "notes.txt"])
        #expect(sights.filter(\.isItem).map(\.name) == ["1.json"])
        #expect(sights.first { $0.name == "0.json" }?.isRegular == false)
    }

    @Test(
        "a link, a pipe and a file with a second name are no requests, and are not waited for", .timeLimit(.minutes(1)))
    func disguised() throws {
        let secret = try root.write("{}", to: "secret")
        try root.link("requests/1.json", to: secret)
        #expect(link(secret.string, spool.folder.appending("2.json").string) == 0)
        #expect(mkfifo(spool.folder.appending("3.json").string, 0o666) == 0)
        let items = try spool.items(limit: 100)
        #expect(items.map(\.name) == ["1.json", "2.json", "3.json"])
        for item in items {
            #expect(throws: FileError.self, "\(item.name)") { _ = try item.content.get() }
            // And gone when the daemon has refused them; what a link leads to stays.
            try spool.remove(item.name)
        }
        #expect(try names() == [])
        #expect(try text(of: secret) == "{}")
    }

    @Test("a file is at most 64 KiB", arguments: [64 << 10, (64 << 10) + 1])
    func size(bytes: Int) throws {
        try spool.put([UInt8](repeating: 32, count: bytes), named: "1.json")
        let item = try #require(try spool.items(limit: 1).first)
        #expect(((try? item.content.get().count) ?? -1) == (bytes > 64 << 10 ? -1 : bytes))
    }

    @Test("a folder that is not there is an error, and nothing is made of it")
    func missing() throws {
        let other = FileSpool(root.path.appending("nowhere"))
        #expect { try other.put([], named: "1.json") } throws: { ($0 as? FileError)?.errno == .noSuchFileOrDirectory }
        #expect(throws: FileError.self) { try other.items(limit: 1) }
        #expect(try !FileLook.exists(other.folder))
    }
}
