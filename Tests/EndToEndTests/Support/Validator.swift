import Foundation
import Testing

/// Python's jsonschema, a validator that is none of ours.
enum Validator {
    private static let here = URL(filePath: #filePath).deletingLastPathComponent()
    private static let schemas = here.appending(path: "../../../docs/schemas").standardizedFileURL

    /// What is wrong with all that a run left; empty when nothing is.
    static func problems(of root: URL) async throws -> String { try await ask([root.path]) }

    /// Expects that each line of JSON is as a schema says.
    static func expectValid(_ lines: [String], _ schema: String) async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "datarowd-e2e-\(UUID().uuidString).ndjson")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(lines.joined(separator: "\n").utf8).write(to: file)
        let problems = try await ask([file.path, schema])
        #expect(problems == "", "\(schema)")
        #expect(!lines.isEmpty)
    }

    private static func ask(_ question: [String]) async throws -> String {
        let port = try await process.value.port
        return try await withCheckedThrowingContinuation { continuation in
            // It blocks for as long as the validator takes.
            Thread.detachNewThread {
                continuation.resume(with: Result { try exchange(JSONEncoder().encode(question), port) })
            }
        }
    }

    private static func exchange(_ question: Data, _ port: Int) throws -> String {
        guard let socket = Socket.connected(to: port) else { throw Trouble("the validator has ended") }
        defer { socket.close() }
        socket.send(question + [0x0a])
        var answer: [UInt8] = []
        while let bytes = socket.receive() { answer += bytes }
        return String(decoding: answer, as: UTF8.self)
    }

    /// The validator's own process, which ends with the tests'.
    private static let process = Task<(child: Child, port: Int), any Error> {
        let folder = FileManager.default.temporaryDirectory
        let portFile = folder.appending(path: "datarowd-validator-\(UUID().uuidString)")
        let log = folder.appending(path: "\(portFile.lastPathComponent).log")
        defer {
            try? FileManager.default.removeItem(at: portFile)
            try? FileManager.default.removeItem(at: log)
        }
        let child = try Child(
            URL(filePath: try await interpreter.value),
            ["-B", here.appending(path: "validate.py").path, schemas.path, portFile.path], output: log)
        let port = try await eventually(within: .seconds(60), "the validator listens") { () -> Int? in
            if child.end != nil { throw Trouble("no validator: \(try String(contentsOf: log, encoding: .utf8))") }
            return try? Int(String(contentsOf: portFile, encoding: .utf8))
        }
        return (child, port)
    }

    /// A Python that has jsonschema and PyYAML: the system's, or one made beside the build.
    private static let interpreter = Task<String, any Error> {
        let test = ["-c", "import jsonschema, yaml, referencing"]
        let system = "/usr/bin/env"
        if try await output(of: system, ["python3"] + test).ending == .exited(0) {
            let found = try await output(of: system, ["python3", "-c", "import sys; print(sys.executable)"]).text
            return found.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        let folder = Programs.folder.appending(path: "validator-venv").path
        let python = "\(folder)/bin/python"
        if FileManager.default.isExecutableFile(atPath: python), try await output(of: python, test).ending == .exited(0)
        {
            return python
        }
        let made = try await output(of: system, ["python3", "-m", "venv", folder])
        let installed = try await output(
            of: python, ["-m", "pip", "install", "--quiet", "jsonschema", "pyyaml"], within: .seconds(180))
        guard installed.ending == .exited(0) else { throw Trouble("no validator: \(made.text)\(installed.text)") }
        return python
    }
}
