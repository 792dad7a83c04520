import Foundation

/// A library that a test puts between the daemon and the system.
enum Shim {
    /// Translates one of `Shims` and gives what the daemon's environment must have.
    static func environment(_ name: String, for folder: URL) async throws -> [String: String] {
        let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Shims/\(name).c")
        let library = folder.appending(path: "\(name).so")
        // Swift brings a clang of its own.
        let script =
            #"$(command -v "${CC:-cc}" || command -v clang) -Wall -Wextra -Werror -shared -fPIC -O1 -o "$0" "$1""#
        let made = try await output(of: "/bin/sh", ["-c", script, library.path, source.standardizedFileURL.path])
        guard made.ending == .exited(0) else { throw Trouble("\(name).c is not translated: \(made.text)") }
        return ["LD_PRELOAD": library.path]
    }

    /// A folder of one test's own for what is there before its site is.
    static func folder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(path: "datarowd-shim-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }
}
