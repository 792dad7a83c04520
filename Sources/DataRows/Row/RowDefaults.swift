/// The values that rows take for keys which they leave out: an envelope's `defaults` and a watch's media type.
public struct RowDefaults: Sendable, Equatable {
    struct Entry: Sendable, Equatable {
        let key: RowKey
        /// The value as written, and bytes behind it that may be read.
        private let padded: [UInt8]
        let count: Int

        init(key: RowKey, value: some Collection<UInt8>) {
            self.key = key
            padded = value + [UInt8](repeating: 0, count: JSONScanner.slack)
            count = value.count
        }

        var value: ArraySlice<UInt8> { padded.prefix(count) }

        func withSlice<Failure: Error>(_ body: (JSONSlice) throws(Failure) -> Void) throws(Failure) {
            try padded.withUnsafeBufferPointer { buffer throws(Failure) in
                guard let bytes = buffer.baseAddress else { return }
                try body(JSONSlice(bytes: bytes, start: 0, end: count))
            }
        }
    }

    private(set) var entries: [Entry] = []

    static let none = RowDefaults()

    private init() {}

    /// Keys that a default may give.
    static let keys: [RowKey] = [
        .externalID, .mediaType, .metadataFields, .metadata, .attachments, .embeddings, .mediaAttributes,
    ]

    /// Checks and takes in the defaults of a manifest.
    ///
    /// - Parameters:
    ///   - object: the JSON object of an envelope's `defaults`, as its header has it.
    ///   - mediaType: the media type for rows, if the object gives none.
    ///   - file: the manifest's name, for the error.
    /// - Throws: ``ManifestError`` for a key that no default can give, or a value that no row could have.
    public init(_ object: [UInt8]?, mediaType: String? = nil, file: String = "") throws(ManifestError) {
        if let object { try take(object, file) }
        if let mediaType, self[.mediaType] == nil {
            var text: [UInt8] = []
            JSONText.appendString(mediaType.utf8, to: &text)
            entries.append(Entry(key: .mediaType, value: text))
        }
    }

    private mutating func take(_ object: [UInt8], _ file: String) throws(ManifestError) {
        var problem: RowProblem?
        var found: [Entry] = []
        let padded = object + [UInt8](repeating: 0, count: JSONScanner.slack)
        padded.withUnsafeBufferPointer { buffer in
            guard let bytes = buffer.baseAddress else { return }
            var members = JSONMembers()
            defer { members.deallocate() }
            let scanner = JSONScanner(bytes: bytes, end: object.count, isLast: true, depthLimit: 64)
            guard object.first == 0x7b, scanner.value(at: 0, members: &members) == object.count else {
                problem = RowProblem(
                    row: 0, byteOffset: 0, pointer: "", code: "invalid_defaults", message: "the defaults are no object")
                return
            }
            members.identify(in: bytes)
            var reporter = RowReporter(root: "/defaults")
            for index in 0..<members.count {
                let member = members.list[index]
                let value = JSONSlice(bytes: bytes, start: Int(member.valueStart), end: Int(member.valueEnd))
                let name = JSONText.decoded(
                    UnsafeRawBufferPointer(
                        start: bytes + Int(member.keyStart), count: Int(member.keyEnd - member.keyStart)))
                guard Self.keys.contains(member.key) else {
                    let names = Self.keys.map(\.text)
                    let nearest = NearestName.of(name ?? "", among: names).map { "; did you mean \"\($0)\"?" }
                    reporter.report(
                        value, "/" + JSONText.pointerToken(name ?? ""), "unknown_key",
                        "\"\(name ?? "")\" can have no default\(nearest ?? ""): only "
                            + names.joined(separator: ", ") + " can")
                    continue
                }
                guard members.slots[Int(member.key.rawValue)] == Int32(index) else { continue }
                RowRules.checkNested(member.key, value, &reporter)
                found.append(Entry(key: member.key, value: value.raw))
            }
            problem = reporter.problems.first
        }
        if let problem {
            throw ManifestError(
                code: problem.code, file: file, pointer: problem.pointer, reason: problem.message,
                remedy: "mend \"defaults\" of the manifest")
        }
        entries = found
    }

    subscript(_ key: RowKey) -> ArraySlice<UInt8>? {
        entries.first { $0.key == key }?.value
    }

    /// Whether there are none.
    var isEmpty: Bool { entries.isEmpty }

    /// Whether rows get `metadata_fields`, so that the metadata ontology is needed.
    public var needsOntology: Bool { self[.metadataFields].map { $0.count > 2 } ?? false }

    /// How many bytes they add to a row at most.
    var byteCount: Int { entries.reduce(0) { $0 + $1.count + $1.key.text.utf8.count + 4 } }
}
