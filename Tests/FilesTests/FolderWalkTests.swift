import Files
import Glibc
import SystemPackage
import TestSupport
import Testing

@Suite("Folder walk")
struct FolderWalkTests {
    @Test("finds every file, whatever bytes its name has")
    func bytes() throws {
        let folder = try TemporaryFolder()
        let names: [[UInt8]] = [
            Array("a\nb.json".utf8), [0x66, 0xFF, 0xFE], Array("with space".utf8), Array("ä.json".utf8),
            Array("-rf".utf8),
            Array("\"quoted\\\"".utf8),
        ]
        for name in names {
            try AtomicFile.write([1], to: folder.path.appending(FilePath(bytes: name).components), durable: false)
        }
        let walk = try FolderWalk(folder.path)
        var found: Set<[UInt8]> = []
        while let entry = try walk.next() { found.insert(entry.path.bytes) }
        #expect(found == Set(names))
    }

    @Test("yields a folder before what is in it, and tells of it before reading it")
    func order() throws {
        let folder = try TemporaryFolder()
        try folder.write("", to: "a/b/c/file")
        var entered: [FilePath] = []
        var seen: [FilePath] = []
        let walk = try FolderWalk(
            folder.path,
            enter: { path in
                entered.append(path)
                // What appears between the call and the reading is found.
                _ = try? folder.write("", to: path.appending("late"))
            })
        while let entry = try walk.next() { seen.append(entry.path) }
        #expect(entered == ["a", "a/b", "a/b/c"])
        #expect(Set(seen) == ["a", "a/late", "a/b", "a/b/late", "a/b/c", "a/b/c/late", "a/b/c/file"])
        #expect(seen.firstIndex(of: "a/b") ?? 9 < seen.firstIndex(of: "a/b/c") ?? 0)
    }

    @Test("enters no link, no skipped folder, and nothing too deep, which it reports")
    func bounds() throws {
        let folder = try TemporaryFolder()
        try folder.write("", to: "one/two/three/deep")
        try folder.write("", to: "skipped/x")
        try folder.link("link", to: "one")
        var problems: [FileError] = []
        let walk = try FolderWalk(
            folder.path, maximumDepth: 3, choose: { path, _ in path.lastComponent == "skipped" ? .skip : .take },
            report: { problems.append($0) })
        var seen: Set<FilePath> = []
        while let entry = try walk.next() { seen.insert(entry.path) }
        #expect(seen == ["one", "one/two", "one/two/three", "link"])
        #expect(problems.map(\.path) == [folder.path.appending("one").appending("two").appending("three")])
    }

    @Test("goes on when files and folders vanish under it")
    func vanishing() throws {
        let folder = try TemporaryFolder()
        for number in 0..<50 { try folder.write("", to: FilePath("d\(number)/file")) }
        var isFirst = true
        let walk = try FolderWalk(
            folder.path,
            enter: { path in
                guard isFirst else { return }
                isFirst = false
                for number in 0..<50 where FilePath("d\(number)") != path {
                    _ = unlink(folder.path.appending("d\(number)").appending("file").string)
                    _ = rmdir(folder.path.appending("d\(number)").string)
                }
            })
        var files = 0
        while let entry = try walk.next() { files += entry.kind == .regular ? 1 : 0 }
        #expect(files == 1)
    }

    @Test("can begin below the root, and says when there is none")
    func start() throws {
        let folder = try TemporaryFolder()
        try folder.write("", to: "a/b/file")
        let walk = try FolderWalk(folder.path, from: "a/b")
        #expect(try walk.next()?.path == "a/b/file")
        #expect(try walk.next() == nil)
        let error = #expect(throws: FileError.self) { try FolderWalk(folder.path.appending("none")) }
        #expect(error?.errno == .noSuchFileOrDirectory)
    }
}
