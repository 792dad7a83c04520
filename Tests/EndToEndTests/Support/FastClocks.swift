import Foundation

/// Clocks that run sixty times as fast, so that what waits for a minute ends in a second.
///
/// They are those of the failpoints, `Tests/Failpoints/shim`: a library between a program and the C library. Nothing of the
/// program knows of it, and every limit keeps the length that it has in production.
struct FastClocks: Sendable {
    /// How many of the program's seconds pass in one of ours.
    static let speed = 60

    /// When both clocks agreed: a program that is started again goes on in the time of the first.
    private let since = Int(Date().timeIntervalSince1970 * 1_000_000_000)

    /// What makes a program run by them.
    func environment() async throws -> [String: String] {
        [
            "LD_PRELOAD": try await Self.library.value, "FAILPOINTS_SPEED": "\(Self.speed)",
            "FAILPOINTS_SINCE": "\(since)",
        ]
    }

    /// How much of our time a span of the program's takes.
    static func real(_ span: Duration) -> Duration { span / speed }

    /// Built once for all tests.
    private static let library = Task { try await Interposed.build("fast-clocks", from: Self.sources()) }

    private static func sources() throws -> [String] {
        let folder = URL(filePath: #filePath).appending(path: "../../../Failpoints/shim").standardizedFileURL
        return try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".c") }.map { folder.appending(path: $0).path }.sorted()
    }
}

/// Libraries that stand between a program and the C library.
enum Interposed {
    /// Builds one beside the programs, and gives its path.
    static func build(_ name: String, from sources: [String]) async throws -> String {
        let library = Programs.folder.appending(path: "\(name).so").path
        // By a name of its own and a rename: another run of tests may be using the one that is there.
        let made = "\(library).\(ProcessInfo.processInfo.processIdentifier)"
        // Swift's own toolchain has a compiler for C, where the machine has no other.
        let compile = #"exec ${CC:-$(command -v cc || command -v clang)} "$@""#
        let (ending, text) = try await output(
            of: "/bin/sh",
            ["-c", compile, "cc", "-shared", "-fPIC", "-O2", "-std=gnu17", "-o", made] + sources + ["-ldl"])
        guard ending == .exited(0), rename(made, library) == 0 else { throw Trouble("\(name) is not built: \(text)") }
        return library
    }
}
