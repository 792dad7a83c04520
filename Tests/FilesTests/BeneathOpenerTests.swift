import Files
import Glibc
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
