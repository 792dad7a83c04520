import DataRows
import Files
import Foundation
import Glibc
import Intake
import SystemPackage
import TestSupport
import Testing

@Suite("Media that a manifest names", .timeLimit(.minutes(1)))
struct MediaTests {
    let bench: Bench
    let root: TemporaryFolder
    let outside: TemporaryFolder

    init() throws {
        let root = try TemporaryFolder()
        self.root = root
        outside = try TemporaryFolder()
        bench = try Bench {
            $0.settle = .zero
            $0.mediaRoots = [root.path]
        }
        try bench.watch.write("x", to: "batch/photo.jpg")
        try bench.watch.write("xx", to: "shared/a b%.jpg")
        try bench.watch.write("xxx", to: "top.jpg")
        try root.write("xxxx", to: "library/l.jpg")
        try outside.write("secret", to: "secret.jpg")
        try bench.watch.link("batch/in", to: "../shared")
        try bench.watch.link("batch/absolute", to: bench.watch.path.appending("shared"))
        try bench.watch.link("batch/lib", to: root.path.appending("library"))
        try bench.watch.link("batch/out", to: outside.path)
        try bench.watch.link("batch/out.jpg", to: outside.path.appending("secret.jpg"))
        #expect(mkfifo(bench.watch.path.appending("batch").appending("fifo.jpg").string, 0o600) == 0)
    }

    /// The answer in a few words.
    func resolve(_ folder: DropFolder, _ path: String) async -> String {
        switch await folder.resolveMedia(path: path, manifestRelativePath: "batch/rows.json") {
        case .ready(let media): "\(media.rootIndex):\(media.relativePath) \(media.size)"
        case .settling: "settling"
        case .missing: "missing"
        case .refused(let refusal): "\(refusal.code)"
        }
    }

    @Test(
        "is found from the manifest's own folder, or by an absolute path or URL, and has one name",
        arguments: [
            ("photo.jpg", "0:batch/photo.jpg 1"), ("./photo.jpg", "0:batch/photo.jpg 1"),
            ("../batch/./photo.jpg", "0:batch/photo.jpg 1"), ("../top.jpg", "0:top.jpg 3"),
            ("in/a b%.jpg", "0:shared/a b%.jpg 2"), ("absolute/a b%.jpg", "0:shared/a b%.jpg 2"),
            ("lib/l.jpg", "1:library/l.jpg 4"), ("WATCH/top.jpg", "0:top.jpg 3"),
            ("ROOT/library/l.jpg", "1:library/l.jpg 4"),
            ("file://WATCH/top.jpg", "0:top.jpg 3"), ("file:WATCH/top.jpg", "0:top.jpg 3"),
            ("file://localhostWATCH/shared/a%20b%25.jpg", "0:shared/a b%.jpg 2"),
            ("file:photo.jpg", "0:batch/photo.jpg 1"),
            ("none.jpg", "missing"), ("WATCH/none.jpg", "missing"), ("nofolder/none.jpg", "missing"),
            ("photo.jpg/none.jpg", "missing"),
        ])
    func found(path: String, expected: String) async throws {
        let folder = try await bench.started()
        let path = path.replacing("WATCH", with: bench.watch.path.string).replacing("ROOT", with: root.path.string)
        #expect(await resolve(folder, path) == expected)
    }

    @Test(
        "is refused when it leads out or is no file, without waiting for a FIFO",
        arguments: [
            ("../../x", "outside"), ("out/secret.jpg", "outside"), ("out/none.jpg", "outside"), ("out.jpg", "outside"),
            ("/etc/passwd", "outside"), ("/etc/none", "outside"), ("WATCH/../x", "outside"),
            ("file:///etc/passwd", "outside"),
            ("file://server/x.jpg", "invalidPath"), ("file:%zz", "invalidPath"), ("file:a%00b", "invalidPath"),
            ("", "emptyPath"), ("fifo.jpg", "notRegular"), ("in", "directory"), ("photo.jpg/", "directory"),
            ("WATCH", "directory"),
            ("..", "directory"), (".", "directory"), ("../.datarowd/lock", "outside"), ("a\u{0}b", "invalidPath"),
        ])
    func refused(path: String, expected: String) async throws {
        let folder = try await bench.started()
        #expect(await resolve(folder, path.replacing("WATCH", with: bench.watch.path.string)) == expected)
    }

    @Test("is found although the watch itself is configured by way of a link")
    func linkedWatch() async throws {
        var linked = bench
        try outside.link("drop", to: bench.watch.path)
        linked.settings.path = outside.path.appending("drop")
        let folder = try await linked.started()
        #expect(await resolve(folder, "photo.jpg") == "0:batch/photo.jpg 1")
        #expect(await resolve(folder, "\(linked.settings.path)/top.jpg") == "0:top.jpg 3")
        #expect(await resolve(folder, "\(bench.watch.path)/top.jpg") == "0:top.jpg 3")
    }

    @Test("settles first, also in a media root, unless it is known to be complete")
    func settles() async throws {
        var slow = bench
        slow.settings.settle = .seconds(2)
        let folder = try await slow.started()
        #expect(await resolve(folder, "photo.jpg") == "settling")
        #expect(await resolve(folder, "lib/l.jpg") == "settling")
        slow.clock.advance(by: .seconds(2))
        #expect(await resolve(folder, "photo.jpg") == "0:batch/photo.jpg 1")
        #expect(await resolve(folder, "lib/l.jpg") == "1:library/l.jpg 4")
        #expect(await resolve(folder, "lib/l.jpg") == "1:library/l.jpg 4")
    }

    @Test("with an open writer is not ready")
    func writer() async throws {
        let folder = try await bench.started()
        let writer = try FileDescriptor.open(
            bench.watch.path.appending("batch").appending("photo.jpg"), .writeOnly, options: .append)
        #expect(await resolve(folder, "photo.jpg") == "settling")
        try writer.close()
        bench.clock.advance(by: .seconds(1))
        #expect(await resolve(folder, "photo.jpg") == "0:batch/photo.jpg 1")
    }

    @Test("once asked for is not handed out as loose media")
    func notLoose() async throws {
        let folder = try await bench.started()
        #expect(await resolve(folder, "photo.jpg") == "0:batch/photo.jpg 1")
        let batch = try await bench.batch(of: folder, after: .seconds(30))
        #expect(Set(batch.map(\.relativePath)) == ["shared/a b%.jpg", "top.jpg"])
    }

    @Test("is opened as the file that was found ready, or not at all")
    func opens() async throws {
        let folder = try await bench.started()
        guard
            case .ready(let media) = await folder.resolveMedia(
                path: "photo.jpg", manifestRelativePath: "batch/rows.json")
        else { throw Unexpected() }
        #expect(try folder.openMedia(media).look().identity == media.identity)
        #expect(folder.mediaPath(media) == bench.watch.path.appending("batch").appending("photo.jpg"))
        try bench.watch.write("longer", to: "batch/photo.jpg")
        #expect(throws: IntakeError.self) { try folder.openMedia(media) }
        await folder.mediaChanged(media)
        #expect(await resolve(folder, "photo.jpg") == "settling")
        // A link that was put in its place between check and use is not followed.
        #expect(unlink(bench.watch.path.appending("batch").appending("photo.jpg").string) == 0)
        try bench.watch.link("batch/photo.jpg", to: outside.path.appending("secret.jpg"))
        #expect(throws: IntakeError.self) { try folder.openMedia(media) }
        #expect(await resolve(folder, "photo.jpg") == "outside")
    }
}
