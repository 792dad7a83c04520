import Files
import Glibc
import Locking
import SystemPackage
import TestSupport
import Testing

@Suite("Atomic file")
struct AtomicFileTests {
    @Test("replaces what was there, and leaves nothing else behind", arguments: [true, false])
    func replaces(durable: Bool) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("old", to: "a.json")
        try AtomicFile.write(Array("new".utf8), to: path, durable: durable)
        #expect(try text(of: path) == "new")
        #expect(try folder.files() == ["a.json"])
    }

    @Test("syncs the content before the name and the folder after it, and nothing when that is not asked for")
    func syncs() throws {
        let folder = try TemporaryFolder()
        let events = Locked<[DiskSync.Event]>([])
        let disk = DiskSync { event in events.withLock { $0.append(event) } }
        try AtomicFile.write([1], to: folder.path.appending("a"), durable: false, disk: disk)
        #expect(events.withLock { $0 }.isEmpty)
        try AtomicFile.write([1], to: folder.path.appending("a"), durable: true, disk: disk)
        let seen = events.withLock { $0 }
        #expect(seen.count == 2)
        #expect(seen.last == .folder(folder.path))
        guard case .file = seen.first else { throw Unexpected() }
    }

    @Test("has the mode that was asked for, whatever the umask")
    func mode() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("a")
        try AtomicFile.write([], to: path, mode: [.ownerReadWrite, .groupReadWrite], durable: false)
        var status = stat()
        #expect(stat(path.string, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o660)
    }

    @Test("written in pieces of any size, holds them in order", arguments: [0, 1, 7, 64, 100_000])
    func pieces(buffer: Int) throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("a")
        let writer = try AtomicFile.writer(to: path, buffer: buffer)
        var expected = ""
        for number in 0..<200 {
            let piece = String(repeating: "\(number),", count: number % 5)
            expected += piece
            try writer.append(piece.utf8)
        }
        #expect(writer.count == Int64(expected.utf8.count))
        #expect(try !FileLook.exists(path))
        try writer.commit(durable: true)
        #expect(try text(of: path) == expected)
    }

    @Test("discarded or forgotten, leaves the old file and no other")
    func discarded() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("old", to: "a")
        let writer = try AtomicFile.writer(to: path)
        try writer.append([1, 2, 3])
        writer.discard()
        do {
            let forgotten = try AtomicFile.writer(to: path)
            try forgotten.append([1, 2, 3])
        }
        #expect(try folder.files() == ["a"])
        #expect(try text(of: path) == "old")
    }

    @Test("says what failed, where and why")
    func fails() throws {
        let folder = try TemporaryFolder()
        let error = #expect(throws: FileError.self) {
            try AtomicFile.write([1], to: folder.path.appending("missing").appending("a"), durable: true)
        }
        #expect(error?.errno == .noSuchFileOrDirectory)
        #expect(error?.operation == "create")
        #expect(error.map { "\($0)".contains("\(folder.path)/missing/") } == true)
    }

    @Test("after a crash, what was in the making is swept and nothing else")
    func sweep() throws {
        let folder = try TemporaryFolder()
        try folder.write("x", to: ".1f.datarowd-tmp")
        try folder.write("x", to: "keep.json")
        try folder.write("x", to: "sub/.2f.datarowd-tmp")
        #expect(try TemporaryName.sweep(folder.path) == 1)
        #expect(try folder.files() == ["keep.json", "sub/.2f.datarowd-tmp"])
    }
}

struct Unexpected: Error {}
