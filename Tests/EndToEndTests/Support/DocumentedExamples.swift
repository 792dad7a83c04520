import Foundation

/// A manifest that a page of the documentation shows.
///
/// A comment before the block says what it is, and is not seen by readers:
///
///     <!-- drop: album.json with: cat.jpg "two words.jpg" -->
///     <!-- drop: wrong.json ends: complete_with_errors -->
///     <!-- shown: why it is not dropped -->
struct DocumentedExample {
    var name: String
    var text: String
    /// Files that lie beside the manifest.
    var files: [String] = []
    /// The state that it ends in.
    var end = "complete"
    /// Where it begins: page and line.
    var place: String

    /// The examples of a page, in their order.
    ///
    /// - Throws: ``Trouble`` for a block of JSON of which nothing is said, and for a comment that is not understood.
    static func all(of page: URL) throws -> [DocumentedExample] {
        let lines = try String(contentsOf: page, encoding: .utf8).components(separatedBy: "\n")
        var found: [DocumentedExample] = []
        var index = 0
        while index < lines.count {
            let fence = lines[index]
            guard fence == "```json" || fence == "```jsonl" else {
                index += 1
                continue
            }
            let place = "\(page.lastPathComponent):\(index + 1)"
            let body = lines[(index + 1)...].prefix { $0 != "```" }
            let comment = index > 0 ? lines[index - 1] : ""
            if let example = try DocumentedExample(
                comment, text: body.map { $0 + "\n" }.joined(), place: place)
            {
                found.append(example)
            }
            index += body.count + 2
        }
        return found
    }

    private init?(_ comment: String, text: String, place: String) throws {
        guard comment.hasPrefix("<!-- "), comment.hasSuffix(" -->") else {
            throw Trouble("\(place): this JSON is neither dropped nor said not to be, by a comment in the line before")
        }
        var words = Self.words(comment.dropFirst(5).dropLast(4))[...]
        switch words.popFirst() {
        case "shown:": return nil
        case "drop:": break
        case let word: throw Trouble("\(place): \(word ?? "") is neither drop: nor shown:")
        }
        guard let name = words.popFirst() else { throw Trouble("\(place): drop: has no name") }
        self.name = name
        self.text = text
        self.place = place
        while let word = words.popFirst() {
            switch word {
            case "with:":
                files += words.prefix { !$0.hasSuffix(":") }
                words = words.drop { !$0.hasSuffix(":") }
            case "ends:": end = words.popFirst() ?? ""
            default: throw Trouble("\(place): what is \(word)?")
            }
        }
    }

    /// Words between spaces; what stands in quotes is one.
    private static func words(_ text: Substring) -> [String] {
        text.split(separator: "\"", omittingEmptySubsequences: false).enumerated().flatMap { index, part in
            index % 2 == 1 ? [String(part)] : part.split(separator: " ").map(String.init)
        }
    }

    /// The rows, as JSON.
    func rows() throws -> [JSON] {
        if name.contains(".jsonl") || name.contains(".ndjson") { return try jsonLines(Data(text.utf8)) }
        let document = try JSON(text)
        // A sidecar is one row.
        if case .object = document, document["rows"] == .null { return [document] }
        return document["rows"] == .null ? document.list : document["rows"].list
    }
}

/// Small files that are what their names say.
enum SampleFile {
    /// The content for a name; other names with the same extension get other contents.
    static func content(named name: String) -> Data {
        let mark = Data(name.utf8)
        switch URL(filePath: name).pathExtension.lowercased() {
        case "jpg", "jpeg":
            return Data([0xff, 0xd8, 0xff, 0xe0, 0, 16]) + Data("JFIF\0".utf8) + mark + Data([0xff, 0xd9])
        case "png": return Data([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) + mark
        case "mp4": return Data([0, 0, 0, 24]) + Data("ftypisom\0\0\u{2}\0isomiso2".utf8) + mark
        case "mp3": return Data("ID3\u{3}\0\0\0\0\0\0".utf8) + mark
        case "pdf": return Data("%PDF-1.4\n%\(name)\n%%EOF\n".utf8)
        case "txt": return Data("\(URL(filePath: name).deletingPathExtension().lastPathComponent)\n".utf8)
        default: return mark
        }
    }
}
