import Foundation
import Testing

/// Python's jsonschema, a validator that is none of ours.
enum Validator {
    private static let here = URL(filePath: #filePath).deletingLastPathComponent()
    private static let schemas = here.appending(path: "../../../docs/schemas").standardizedFileURL

    /// Validates all that a run left.
    static func validate(_ root: URL) async throws -> (ending: Child.Ending, text: String) {
        let python = try await interpreter.value
        return try await output(
            of: python, ["-B", here.appending(path: "validate.py").path, schemas.path, root.path],
            within: .seconds(180))
    }

    /// Expects that each line of JSON is as a schema says.
    static func expectValid(_ lines: [String], _ schema: String) async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "datarowd-e2e-\(UUID().uuidString).ndjson")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(lines.joined(separator: "\n").utf8).write(to: file)
        let verdict = try await output(
            of: try await interpreter.value,
            ["-B", here.appending(path: "validate.py").path, schemas.path, file.path, schema])
        #expect(verdict.ending == .exited(0), "\(schema): \(verdict.text)")
        #expect(!lines.isEmpty)
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
