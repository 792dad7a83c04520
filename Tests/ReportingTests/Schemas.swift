import Foundation
import SystemPackage

/// Validates JSON with Python's `jsonschema` against the schemas of the project.
enum Schemas {
    /// What is wrong with the documents; empty when they are valid.
    static func complaints(about documents: [[UInt8]], schema: String) throws -> String {
        let folder = try TemporaryFolder()
        let schemas = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/schemas")
        var files: [String] = []
        for (number, document) in documents.enumerated() {
            let file = folder.path.appending("\(number).json").string
            try Data(document).write(to: URL(filePath: file))
            files.append(file)
        }
        let script = """
            import json, pathlib, sys
            from jsonschema import Draft202012Validator
            from referencing import Registry, Resource
            folder = pathlib.Path(sys.argv[1])
            all = {p.name: json.loads(p.read_text()) for p in folder.glob("*.schema.json")}
            registry = Registry().with_resources(
                (s["$id"], Resource.from_contents(s)) for s in all.values() if "$id" in s)
            schema = all[sys.argv[2] + ".schema.json"]
            Draft202012Validator.check_schema(schema)
            for name in sys.argv[3:]:
                for error in Draft202012Validator(schema, registry=registry).iter_errors(json.load(open(name))):
                    print(pathlib.Path(name).stem + ":", error.json_path, error.message)
            """
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script, schemas.path, schema] + files
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text.isEmpty && process.terminationStatus != 0 ? "python3 ended with \(process.terminationStatus)" : text
    }

    /// Which of the documents are not valid.
    static func invalid(among documents: [[UInt8]], schema: String) throws -> Set<Int> {
        Set(
            try complaints(about: documents, schema: schema).split(separator: "\n")
                .compactMap { Int($0.prefix { $0 != ":" }) })
    }
}
