import Files
import Glibc
import Locking
import SystemPackage
import TestSupport
import Testing

@Suite("Durable rename")
struct DurableRenameTests {
    /// Two file systems that every Linux machine has.
    static let targets: [FilePath] = ["/tmp", "/dev/shm"]

    @Test(
        "moves a file with its mode and time, on one file system and across two", arguments: targets, [0, 7, 1_000_000])
    func moves(target: FilePath, size: Int) throws {
        let here = try TemporaryFolder()
        let there = try TemporaryFolder(in: target)
        let from = try here.write(String(repeating: "x", count: size), to: "a.bin")
        #expect(chmod(from.string, 0o604) == 0)
        let before = try FileLook.at(from)
        let to = there.path.appending("b.bin")
        try DurableRename.move(from: from, to: to, replacing: false)
        let after = try FileLook.at(to)
        #expect(try !FileLook.exists(from))
        #expect(after.identity.size == Int64(size))
        #expect(after.identity.modified == before.identity.modified)
        var status = stat()
        #expect(stat(to.string, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o604)
        #expect(try there.files() == ["b.bin"])
    }

    @Test("the two folders of these tests are on different file systems")
    func different() throws {
        let here = try FileLook.at("/tmp").identity.device
        #expect(try FileLook.at("/dev/shm").identity.device != here)
    }

    @Test("overwrites nothing unless it is asked to", arguments: targets)
    func noReplace(target: FilePath) throws {
        let here = try TemporaryFolder()
        let there = try TemporaryFolder(in: target)
        let from = try here.write("new", to: "a")
        let to = try there.write("old", to: "a")
        let error = #expect(throws: FileError.self) { try DurableRename.move(from: from, to: to, replacing: false) }
        #expect(error?.errno == .fileExists)
        #expect(try text(of: to) == "old")
        #expect(try text(of: from) == "new")
        #expect(try there.files() == ["a"])
        try DurableRename.move(from: from, to: to, replacing: true)
        #expect(try text(of: to) == "new")
    }

    @Test("finds a free name before the extensions and never overwrites", arguments: targets)
    func freeName(target: FilePath) throws {
        let here = try TemporaryFolder()
        let there = try TemporaryFolder(in: target)
        for number in 1...4 {
            let from = try here.write("\(number)", to: "rows.json.gz")
            _ = try DurableRename.moveToFreeName(from: from, to: there.path.appending("rows.json.gz"))
        }
        #expect(
            try there.files() == ["rows (2).json.gz", "rows (3).json.gz", "rows (4).json.gz", "rows.json.gz"])
        #expect(try text(of: there.path.appending("rows (3).json.gz")) == "3")
    }

    @Test(
        "puts the number where people look for it",
        arguments: [
            ("a.json", "a (2).json"), ("a.ndjson.gz", "a (2).ndjson.gz"), ("a", "a (2)"), (".hidden", ".hidden (2)"),
            ("photo.2024.01.jpg", "photo.2024.01 (2).jpg"), ("a.", "a (2)."),
        ])
    func numbered(name: String, expected: String) throws {
        let free = FreeName.at(FilePath("d").appending(name)) { $0.lastComponent?.string == name }
        #expect(free.lastComponent?.string == expected)
    }

    @Test("cuts a name that would be too long, between characters")
    func longName() throws {
        let name = String(repeating: "ä", count: 125) + ".json"  // 255 bytes
        let free = FreeName.at(FilePath(name)) { $0.string == name }
        let last = try #require(free.lastComponent)
        #expect(last.bytes.count <= 255)
        #expect(String(validating: last.bytes, as: UTF8.self) == String(repeating: "ä", count: 123) + " (2).json")
    }

    @Test("looks at few names when very many are taken")
    func fewLooks() {
        var looks = 0
        let free = FreeName.at("a.json") { path in
            looks += 1
            guard let number = path.stem?.dropFirst(3).dropLast() else { return true }
            return (Int(number) ?? 1) <= 10_000
        }
        #expect(free == "a (10001).json")
        #expect(looks < 40)
    }

    @Test("makes the folders that are missing, and syncs what holds them")
    func folders() throws {
        let folder = try TemporaryFolder()
        let events = Locked<[DiskSync.Event]>([])
        let disk = DiskSync { event in events.withLock { $0.append(event) } }
        let deep = folder.path.appending("a").appending("b").appending("c")
        try DurableRename.createFolder(deep, disk: disk)
        try DurableRename.createFolder(deep, disk: disk)
        #expect(try FileLook.at(deep).kind == .directory)
        #expect(events.withLock { $0 }.count == 3)
        try folder.write("", to: "file")
        #expect(throws: FileError.self) { try DurableRename.createFolder(folder.path.appending("file")) }
    }

    @Test("syncs each folder once for a batch, and one file system instead of many folders")
    func batch() throws {
        let folder = try TemporaryFolder()
        let events = Locked<[DiskSync.Event]>([])
        let disk = DiskSync { event in events.withLock { $0.append(event) } }
        let sync = FolderSync(disk: disk)
        for _ in 0..<1_000 { sync.add(folder.path) }
        try sync.commit()
        #expect(events.withLock { $0 } == [.folder(folder.path)])
        try sync.commit()
        #expect(events.withLock { $0 }.count == 1)
        for number in 0..<100 {
            let sub = folder.path.appending("\(number)")
            try DurableRename.createFolder(sub)
            sync.add(sub)
        }
        sync.add(folder.path.appending("gone"))
        try sync.commit()
        #expect(events.withLock { $0 }.count == 2)
    }

    @Test("syncs where a file came to before where it left, and a folder after the one that holds it")
    func order() throws {
        let folder = try TemporaryFolder()
        let events = Locked<[DiskSync.Event]>([])
        let disk = DiskSync { event in events.withLock { $0.append(event) } }
        let sync = FolderSync(disk: disk)
        try folder.write("a", to: "one")
        let to = folder.path.appending("a").appending("b")
        try DurableRename.createFolder(to, folders: sync, disk: disk)
        try DurableRename.move(
            from: folder.path.appending("one"), to: to.appending("one"), replacing: false, folders: sync, disk: disk)
        try sync.commit()
        #expect(
            events.withLock { $0 } == [
                .folder(folder.path), .folder(folder.path.appending("a")), .folder(to), .folder(folder.path),
            ])
    }

    @Test("tells two files apart by their bytes and their time")
    func comparison() throws {
        let folder = try TemporaryFolder()
        let one = try folder.write(String(repeating: "a", count: 700_000), to: "one")
        let two = folder.path.appending("two")
        try DurableRename.copy(from: one, to: two, replacing: false)
        #expect(try FileComparison.areEqual(one, two))
        let three = folder.path.appending("three")
        try folder.write(String(repeating: "a", count: 699_999) + "b", to: "three")
        var times = [timespec(), timespec()]
        var status = stat()
        #expect(stat(one.string, &status) == 0)
        times = [status.st_atim, status.st_mtim]
        #expect(utimensat(AT_FDCWD, three.string, times, 0) == 0)
        #expect(try !FileComparison.areEqual(one, three))
    }
}
