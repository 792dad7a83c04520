import Files
import Glibc
import SystemPackage
import TestSupport
import Testing

@Suite("Instance lock")
struct InstanceLockTests {
    @Test("is held once, names its holder, and is free when that one is gone")
    func once() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("lock")
        var first: InstanceLock? = try InstanceLock(path)
        let error = #expect(throws: InstanceLock.Failure.self) { try InstanceLock(path) }
        #expect(error == .held(path, pid: getpid()))
        #expect(error.map { "\($0)".contains("process \(getpid())") } == true)
        withExtendedLifetime(first) {}
        first = nil
        _ = try InstanceLock(path)
    }

    @Test("in a folder that is missing fails with the path")
    func missing() {
        let error = #expect(throws: InstanceLock.Failure.self) { try InstanceLock("/nonexistent/lock") }
        guard case .failed(let cause) = error else { return #expect(Bool(false), "it must fail") }
        #expect(cause.path == "/nonexistent/lock")
    }
}

@Suite("Open for writing")
struct OpenForWritingTests {
    @Test("a file with a writer is told from one without, and stays usable")
    func lease() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("x", to: "a")
        let file = try OpenFile.reading(path)
        #expect(file.writer() == .none)
        let writer = try FileDescriptor.open(path, .writeOnly, options: .append)
        #expect(file.writer() == .present)
        #expect(OpenForWriting.check(file.descriptor) == .present)
        try writer.close()
        #expect(file.writer() == .none)
        // The lease was given back: nobody waits for it.
        try FileDescriptor.open(path, .writeOnly).close()
    }

    @Test("a FIFO is refused without waiting, a link unless allowed")
    func notRegular() throws {
        let folder = try TemporaryFolder()
        #expect(mkfifo(folder.path.appending("fifo").string, 0o600) == 0)
        #expect(throws: FileError.self) { try OpenFile.reading(folder.path.appending("fifo")) }
        try folder.write("x", to: "a")
        try folder.link("l", to: "a")
        #expect(throws: FileError.self) { try OpenFile.reading(folder.path.appending("l")) }
        _ = try OpenFile.reading(folder.path.appending("l"), followingLinks: true)
    }
}

@Suite("File system kind")
struct FileSystemKindTests {
    @Test("temporary folders and memory send events", arguments: ["/tmp", "/dev/shm", "/proc"])
    func local(path: FilePath) throws {
        #expect(try FileSystemKind.of(path) == .local)
        #expect(try FileSystemKind.of(path).sendsEvents)
    }

    @Test(
        "network and FUSE file systems are known by their number",
        arguments: [
            (UInt64(0x6969), FileSystemKind.network), (0xFF53_4D42, .network), (0xFE53_4D42, .network),
            (0x6573_5546, .fuse),
            (0xEF53, .local), (0x5846_5342, .local), (0x9123_683E, .local), (0x0102_1994, .local),
            (0x794C_7630, .local),
        ] as [(UInt64, FileSystemKind)])
    func numbers(magic: UInt64, kind: FileSystemKind) {
        #expect(FileSystemKind(magic: magic) == kind)
    }
}

@Suite("Glob")
struct GlobTests {
    @Test(
        "matches as a shell does",
        arguments: [
            ("*.json", "a.json", true), ("*.json", ".json", true), ("*.json", "a.jsonl", false),
            ("*.json", "a.JSON", false),
            (".*", ".hidden", true), (".*", "a.b", false), ("*~", "a~", true), ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[abc].x", "b.x", true), ("[!abc].x", "b.x", false), ("exact", "exact", true), ("exact", "exactly", false),
            ("*a*b*", "xxaxxbxx", true), ("sub/*.json", "sub/a.json", true), ("sub/*.json", "sub/x/a.json", false),
            ("*/a.json", "sub/a.json", true), ("a\\*b", "a*b", true), ("a\\*b", "axb", false), ("*", "anything", true),
        ])
    func table(pattern: String, name: String, expected: Bool) {
        #expect(Glob(pattern).matches(Array(name.utf8)) == expected)
    }

    @Test("compares bytes that are no text")
    func bytes() {
        #expect(Glob("*.json").matches([0xFF, 0xFE] + Array(".json".utf8)))
        #expect(Glob("a?b").matches([0x61, 0xFF, 0x62]))
    }
}
