import Foundation
import Testing

/// What the documentation shows, works as it says.
@Suite("Examples in the documentation", .serialized)
struct DocumentationTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized

    @Test(
        "every manifest that a page shows is dropped, and each of its rows ends as the page says",
        .timeLimit(.minutes(3)), arguments: ["README.md", "docs/manifests.md", "docs/examples.md"])
    func examples(page: String) async throws {
        let examples = try DocumentedExample.all(of: Self.root.appending(path: page))
        #expect(!examples.isEmpty, "\(page) shows no manifest")
        let settings = SiteSettings(watch: [
            "operations: [create, upsert, update, delete]", "media_wait: 5m", "linger: 0s",
        ])
        try await Site.with(settings) { site in
            try await site.start()
            for example in examples { try await drop(example, site) }
        }
    }

    private func drop(_ example: DocumentedExample, _ site: Site) async throws {
        var example = example
        // The one name that a page cannot know.
        example.text = example.text.replacing("ckxxxxxxxxxxxxxxxxxxxxxxx", with: Simulator.dataset)
        let folder = example.name.contains("/") ? example.name.prefix { $0 != "/" } + "/" : ""
        for file in example.files { try site.drop(folder + file, SampleFile.content(named: file)) }
        try site.drop(
            example.name,
            example.name.hasSuffix(".gz")
                ? try await gzip(Data(example.text.utf8), in: site.root) : Data(example.text.utf8))
        let status = try await site.ended(example.name)
        #expect(status["state"].string == example.end, "\(example.place): \(status)")
        guard example.end == "complete" else { return }

        let rows = try example.rows()
        let results = try site.results(status)
        #expect(results.compactMap { $0["row"].int } == Array(rows.indices), "\(example.place)")
        let there = Dictionary(
            try await site.simulator.rows().map { ($0["id"].string ?? "", $0) }, uniquingKeysWith: { $1 })
        for (row, result) in zip(rows, results) {
            let id = try #require(result["data_row_id"].string, "\(example.place): \(result)")
            if result["outcome"].string == "deleted" {
                #expect(there[id] == nil, "\(example.place): \(id) is still there")
                continue
            }
            let found = try #require(there[id], "\(example.place): \(id) is not on the server")
            for key in ["global_key", "external_id", "media_type", "attachments"] where row[key] != .null {
                #expect(found["payload"][key] == row[key], "\(example.place): \(key)")
            }
            // Their other keys are renamed on the way.
            let vectors = [row, found["payload"]].map { $0["embeddings"].list.map { $0["vector"] } }
            #expect(vectors[0] == vectors[1], "\(example.place): embeddings")
            try await expectContent(row, found, example, folder: String(folder), site)
        }
    }

    /// The row's content is what its file holds, or what it says.
    private func expectContent(
        _ row: JSON, _ found: JSON, _ example: DocumentedExample, folder: String, _ site: Site
    ) async throws {
        let content = row.string.map(JSON.string) ?? row["row_data"]
        let payload = found["payload"]["row_data"]
        let name = content.string?.trimmingPrefix("./") ?? ""
        if example.files.contains(String(name)) {
            let data = try await site.simulator.file(payload.string ?? "")
            #expect(data == SampleFile.content(named: String(name)), "\(example.place): \(name)")
        } else if content != .null {
            #expect(payload == content, "\(example.place): row_data")
        }
    }

    private func gzip(_ data: Data, in folder: URL) async throws -> Data {
        let file = folder.appending(path: "to pack")
        try data.write(to: file)
        #expect(try await output(of: "/bin/gzip", ["-f", file.path]).ending == .exited(0))
        return try Data(contentsOf: file.appendingPathExtension("gz"))
    }
}
