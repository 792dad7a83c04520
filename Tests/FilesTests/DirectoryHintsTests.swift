import Files
import Glibc
import SystemPackage
import TestSupport
import Testing

/// Hints of a real folder, waited for without sleeping.
final class Listener {
    let hints: DirectoryHints
    private var wakes: AsyncStream<Void>.Iterator
    private(set) var heard: Set<DirectoryHints.Hint> = []
    private(set) var overflowed = false
    private(set) var isRootLost = false

    init(_ root: FilePath, capacity: Int = 16_384) throws {
        let (stream, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        hints = try DirectoryHints(root: root, capacity: capacity) { wake.yield() }
        wakes = stream.makeAsyncIterator()
    }

    /// Returns once everything that was heard so far satisfies the condition.
    func wait(until isEnough: (Listener) -> Bool) async {
        while true {
            let batch = hints.take()
            heard.formUnion(batch.hints)
            overflowed = overflowed || batch.overflowed
            isRootLost = isRootLost || batch.isRootLost
            if isEnough(self) { return }
            await wakes.next(isolation: nil)
        }
    }
}

@Suite("Directory hints", .timeLimit(.minutes(1)))
struct DirectoryHintsTests {
    @Test("tell a file that was moved in from one that was written in place")
    func kinds() async throws {
        let folder = try TemporaryFolder()
        let elsewhere = try TemporaryFolder()
        let listener = try Listener(folder.path)
        try folder.write("x", to: "copied")
        try elsewhere.write("x", to: "moved")
        #expect(rename(elsewhere.path.appending("moved").string, folder.path.appending("moved").string) == 0)
        await listener.wait { $0.heard.isSuperset(of: [.closed("copied"), .movedIn("moved")]) }
        #expect(listener.heard == [.closed("copied"), .movedIn("moved")])
    }

    @Test("the last of several for one path counts")
    func lastCounts() async throws {
        let folder = try TemporaryFolder()
        let listener = try Listener(folder.path)
        try folder.write("new", to: ".part")
        try folder.write("old", to: "a")
        try folder.rename(".part", "a")
        try folder.write("", to: "last")
        await listener.wait { $0.heard.contains(.closed("last")) }
        // Taken in one batch or in several, the rename over it is among them.
        #expect(listener.heard.contains(.movedIn("a")))
    }

    @Test("tell of new folders, and of files in those that are watched by then")
    func folders() async throws {
        let folder = try TemporaryFolder()
        let listener = try Listener(folder.path)
        try folder.makeFolder("sub")
        await listener.wait { $0.heard.contains(.folder("sub")) }
        try listener.hints.watch("sub")
        try folder.write("x", to: "sub/a\nb")
        await listener.wait { $0.heard.contains(.closed("sub/a\nb")) }
        #expect(listener.hints.watchedFolders == 2)
    }

    @Test("use the new name of a folder that was renamed, once it is watched again")
    func renamedFolder() async throws {
        let folder = try TemporaryFolder()
        try folder.makeFolder("old")
        let listener = try Listener(folder.path)
        try listener.hints.watch("old")
        try folder.rename("old", "new")
        await listener.wait { $0.heard.contains(.folder("new")) }
        try listener.hints.watch("new")
        try folder.write("x", to: "new/file")
        await listener.wait { $0.heard.contains(.closed("new/file")) }
        #expect(listener.hints.watchedFolders == 2)
    }

    @Test("past their capacity become one: look everywhere")
    func overflow() async throws {
        let folder = try TemporaryFolder()
        let listener = try Listener(folder.path, capacity: 10)
        for number in 0..<100 { try folder.write("", to: FilePath("f\(number)")) }
        await listener.wait { $0.overflowed }
        try folder.write("", to: "after")
        await listener.wait { $0.heard.contains(.closed("after")) || $0.overflowed }
        #expect(listener.overflowed)
    }

    @Test("say when the folder itself is gone or elsewhere", arguments: [true, false])
    func lost(moved: Bool) async throws {
        let folder = try TemporaryFolder()
        try folder.makeFolder("root")
        let listener = try Listener(folder.path.appending("root"))
        if moved {
            try folder.rename("root", "other")
        } else {
            #expect(rmdir(folder.path.appending("root").string) == 0)
        }
        await listener.wait { $0.isRootLost }
        #expect(listener.isRootLost)
    }

    @Test("give back the watches of folders that a scan did not meet again")
    func dropsUnseen() throws {
        let folder = try TemporaryFolder()
        try folder.makeFolder("stays")
        try folder.makeFolder("leaves")
        let listener = try Listener(folder.path)
        try listener.hints.watch("stays")
        try listener.hints.watch("leaves")
        let elsewhere = try TemporaryFolder()
        #expect(rename(folder.path.appending("leaves").string, elsewhere.path.appending("left").string) == 0)
        listener.hints.beginScan()
        try listener.hints.watch("stays")
        listener.hints.dropUnseenWatches()
        #expect(listener.hints.watchedFolders == 2)
    }

    @Test("of a missing folder are an error")
    func missing() throws {
        let folder = try TemporaryFolder()
        let error = #expect(throws: FileError.self) { try Listener(folder.path.appending("none")) }
        #expect(error?.errno == .noSuchFileOrDirectory)
    }
}

@Suite("File bell", .timeLimit(.minutes(1)))
struct FileBellTests {
    @Test("is heard each time, also after somebody replaced it")
    func rings() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("bell")
        let (stream, heard) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        var rings = stream.makeAsyncIterator()
        let bell = try FileBell(path) { heard.yield() }
        try FileBell.ring(path)
        #expect(await rings.next(isolation: nil) != nil)
        #expect(unlink(path.string) == 0)
        #expect(await rings.next(isolation: nil) != nil)
        try bell.renew()
        try FileBell.ring(path)
        #expect(await rings.next(isolation: nil) != nil)
    }
}
