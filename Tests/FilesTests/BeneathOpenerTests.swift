import Files
import Foundation
import Glibc
import Locking
import SystemPackage
import TestSupport
import Testing

@Suite("Opening beneath a folder", .timeLimit(.minutes(1)))
struct BeneathOpenerTests {
    let folder: TemporaryFolder
    let outside: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        outside = try TemporaryFolder()
        try folder.write("in", to: "sub/in.txt")
        try outside.write("secret", to: "secret.txt")
        try folder.link("inner", to: "sub/in.txt")
        try folder.link("innerfolder", to: "sub")
        try folder.link("sub/up", to: "../sub/in.txt")
        try folder.link("outer", to: outside.path.appending("secret.txt"))
        try folder.link("outerfolder", to: outside.path)
        try folder.link("climb", to: FilePath("../").appending(outside.path.lastComponent?.string ?? ""))
        try folder.link("dangling", to: "nowhere")
        try folder.link("loop", to: "loop")
        #expect(mkfifo(folder.path.appending("fifo").string, 0o600) == 0)
    }

    @Test(
        "opens what is inside, links that stay inside included",
        arguments: ["sub/in.txt", "inner", "innerfolder/in.txt", "sub/up", "sub/../sub/in.txt", "./sub/./in.txt"])
    func inside(path: FilePath) throws {
        let file = try BeneathOpener(root: folder.path).open(path)
        var byte = [UInt8](repeating: 0, count: 2)
        #expect(try byte.withUnsafeMutableBytes { try file.read(into: $0, at: 0) } == 2)
        #expect(byte == Array("in".utf8))
    }

    @Test(
        "refuses what leads out, however it is spelled",
        arguments: [
            "outer", "outerfolder/secret.txt", "climb/secret.txt", "..", "../x", "sub/../../x", "/etc/passwd", "",
        ])
    func refuses(path: FilePath) {
        #expect(throws: BeneathOpener.Refusal.outside) { try BeneathOpener(root: folder.path).open(path) }
    }

    @Test("never waits for a FIFO, and reads no folder and no socket", arguments: [true, false])
    func kinds(usesOpenat2: Bool) throws {
        let opener = BeneathOpener(root: folder.path, usesOpenat2: usesOpenat2)
        let socket = try UnixSocket(folder.path.appending("socket"))
        #expect(throws: BeneathOpener.Refusal.notRegular(.fifo)) { try opener.open("fifo") }
        #expect(throws: BeneathOpener.Refusal.notRegular(.directory)) { try opener.open("sub") }
        #expect(throws: BeneathOpener.Refusal.notRegular(.socket)) { try opener.open("socket") }
        withExtendedLifetime(socket) {}
        #expect(throws: BeneathOpener.Refusal.missing) { try opener.open("sub/none") }
        #expect(throws: BeneathOpener.Refusal.missing) { try opener.open("sub/in.txt/none") }
    }

    @Test("a link that is swapped all the time leads inside or nowhere", arguments: [true, false])
    func race(followingLinks: Bool) throws {
        try outside.write("secret", to: "in.txt")
        let isOver = Locked(false)
        let swaps = Locked(0)
        let swapper = Thread { [folder, outside] in
            let name = folder.path.appending("swap").string
            let spare = folder.path.appending("spare").string
            while !isOver.withLock({ $0 }) {
                for target in [outside.path.string, "sub"] {
                    symlink(target, spare)
                    rename(spare, name)
                }
                // A folder in its place, too: what is no link may be followed.
                unlink(name)
                rename(folder.path.appending("sub").string, name)
                rename(name, folder.path.appending("sub").string)
                swaps.withLock { $0 += 1 }
            }
        }
        swapper.start()
        defer { isOver.withLock { $0 = true } }
        let opener = BeneathOpener(root: folder.path)
        var opened = 0
        var tries = 0
        while tries < 5_000 || (opened < 20 && tries < 1_000_000) || swaps.withLock({ $0 }) < 100 {
            tries += 1
            guard let file = try? opener.open("swap/in.txt", followingLinks: followingLinks) else { continue }
            opened += 1
            var bytes = [UInt8](repeating: 0, count: 6)
            let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
            #expect(bytes.prefix(count).elementsEqual("in".utf8), "\(bytes)")
        }
        #expect(opened >= 20, "it was never open at the right moment")
    }

    @Test("a time that no number of nanoseconds holds is a time like any other")
    func farTime() throws {
        let file = try folder.write("far", to: "far.txt")
        var times = [timespec(tv_sec: 15_000_000_000, tv_nsec: 7), timespec(tv_sec: 15_000_000_000, tv_nsec: 7)]
        #expect(utimensat(AT_FDCWD, file.string, &times, 0) == 0)
        let look = try FileLook.at(file)
        #expect(try look == FileLook.at(file))
        times[1].tv_nsec = 8
        #expect(utimensat(AT_FDCWD, file.string, &times, 0) == 0)
        #expect(try !FileLook.at(file).identity.hasSameContent(as: look.identity))
    }

    @Test("tells a dangling link and a loop from a file")
    func badLinks() {
        let opener = BeneathOpener(root: folder.path)
        #expect(throws: BeneathOpener.Refusal.missing) { try opener.open("dangling") }
        let error = #expect(throws: BeneathOpener.Refusal.self) { try opener.open("loop") }
        guard case .failed(let cause) = error else { return #expect(Bool(false), "a loop must fail") }
        #expect(cause.errno == .tooManySymbolicLinkLevels)
    }

    @Test("follows no link at all when told so", arguments: ["inner", "innerfolder/in.txt"])
    func noLinks(path: FilePath) {
        #expect(throws: BeneathOpener.Refusal.self) {
            try BeneathOpener(root: folder.path).open(path, followingLinks: false)
        }
    }

    @Test("on an old kernel opens plain paths and refuses links and climbing")
    func fallback() throws {
        let opener = BeneathOpener(root: folder.path, usesOpenat2: false)
        #expect(try opener.open("sub/in.txt").look().identity.size == 2)
        for path: FilePath in ["inner", "outer", "innerfolder/in.txt", "outerfolder/secret.txt", "../x", "/etc/passwd"]
        {
            #expect(throws: BeneathOpener.Refusal.self) { try opener.open(path) }
        }
    }

    @Test("a folder swapped for a link between check and use does not lead out")
    func swapped() throws {
        try outside.write("secret", to: "in.txt")
        let opener = BeneathOpener(root: folder.path)
        #expect(try opener.open("sub/in.txt").look().identity.size == 2)
        try folder.rename("sub", "away")
        try folder.link("sub", to: outside.path)
        #expect(throws: BeneathOpener.Refusal.outside) { try opener.open("sub/in.txt") }
        let target = folder.path.appending("taken")
        #expect(throws: BeneathOpener.Refusal.self) { try opener.take("sub/in.txt", to: target) }
        #expect(try text(of: outside.path.appending("in.txt")) == "secret")
    }

    @Test("tells where a path really leads")
    func place() throws {
        let place = try BeneathOpener(root: folder.path).place("innerfolder/in.txt")
        #expect(place.path == folder.path.appending("sub").appending("in.txt"))
        #expect(place.look.kind == .regular)
    }
}

/// A socket in the file system, removed with its folder.
final class UnixSocket {
    private let descriptor: CInt

    init(_ path: FilePath) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.bytes) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard result == 0 else { throw Errno(rawValue: errno) }
    }

    deinit { close(descriptor) }
}
