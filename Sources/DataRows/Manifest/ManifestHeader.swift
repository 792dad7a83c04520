/// What an envelope says beside its rows; empty for lists and JSON Lines.
public struct ManifestHeader: Sendable, Equatable {
    /// The dataset that the rows are for.
    public var datasetID: DatasetID?
    /// What is done with the rows.
    public var operation: RowOperation?
    /// The JSON object of values for keys that rows leave out, as written; nil if there is none.
    public var defaults: [UInt8]?
    /// What the sender says of the files that rows name, by their names.
    public var files: [ExactName: FileClaim]

    /// What the sender says of one file.
    public struct FileClaim: Sendable, Equatable {
        /// Its size in bytes.
        public var bytes: Int64?
        /// Its SHA-256, 32 bytes.
        public var sha256: [UInt8]?

        /// Creates a claim.
        public init(bytes: Int64? = nil, sha256: [UInt8]? = nil) {
            self.bytes = bytes
            self.sha256 = sha256
        }
    }

    /// Creates a header.
    public init(
        datasetID: DatasetID? = nil, operation: RowOperation? = nil, defaults: [UInt8]? = nil,
        files: [ExactName: FileClaim] = [:]
    ) {
        self.datasetID = datasetID
        self.operation = operation
        self.defaults = defaults
        self.files = files
    }

    static let keys = ["dataset_id", "operation", "defaults", "files", "rows"]

    /// Takes in one member of an envelope other than `rows`.
    ///
    /// - Throws: `HeaderFault`.
    mutating func take(_ key: String, _ value: JSONSlice) throws(HeaderFault) {
        if value.kind == .null { return }
        switch key {
        case "dataset_id":
            guard let text = value.string, !text.isEmpty else {
                throw HeaderFault(
                    value, "invalid_dataset_id", "the dataset id is not a string with something in it",
                    "write the id of the dataset in quotes, or leave the key out")
            }
            datasetID = DatasetID(rawValue: text)
        case "operation":
            guard let operation = value.string.flatMap(RowOperation.init(rawValue:)) else {
                throw HeaderFault(
                    value, "invalid_operation", "the operation is none that is known",
                    "write one of \"create\", \"upsert\", \"update\", \"delete\"")
            }
            self.operation = operation
        case "defaults":
            guard value.kind == .object else {
                throw HeaderFault(
                    value, "invalid_defaults", "the defaults are not an object",
                    "write an object of row keys and values, such as {\"media_type\": \"IMAGE\"}")
            }
            defaults = Array(value.raw)
        case "files": try takeFiles(value)
        default: throw Self.unknown(key, value)
        }
    }

    private static func unknown(_ key: String, _ value: JSONSlice) -> HeaderFault {
        if let rowKey = RowKey.allCases.first(where: { $0 != .unknown && $0.text == key }), rowKey != .key {
            return HeaderFault(
                value, "bare_row", "this is one row, not a list of rows: it has \"\(key)\" and no \"rows\" before it",
                "put brackets around it: [{\"\(key)\": …}], or write one row a line in a .jsonl file")
        }
        let nearest = NearestName.of(key, among: keys)
        return HeaderFault(
            value, "unknown_key", "the manifest has a key \"\(key)\" that means nothing here",
            nearest.map { "write \"\($0)\" instead, or remove it" }
                ?? "remove it; the keys are \(keys.map { "\"\($0)\"" }.joined(separator: ", "))")
    }

    private mutating func takeFiles(_ value: JSONSlice) throws(HeaderFault) {
        guard value.kind == .object else {
            throw HeaderFault(
                value, "invalid_files", "\"files\" is not an object",
                "write {\"a.jpg\": {\"bytes\": 123, \"sha256\": \"…\"}}")
        }
        var fault: HeaderFault?
        var claims: [ExactName: FileClaim] = [:]
        value.forEachMember { key, claim in
            guard fault == nil else { return }
            let name = JSONText.decoded(key.inner) ?? ""
            let pointer = "/" + JSONText.pointerToken(name)
            guard claim.kind == .object else {
                fault = HeaderFault(
                    claim, "invalid_files", "what is said of the file \"\(name)\" is not an object",
                    "write {\"bytes\": 123, \"sha256\": \"…\"}", pointer)
                return
            }
            var said = FileClaim()
            claim.forEachMember { key, value in
                guard fault == nil, value.kind != .null else { return }
                switch JSONText.decoded(key.inner) {
                case "bytes":
                    said.bytes = Int64(String(decoding: value.raw, as: UTF8.self))
                    if said.bytes ?? -1 < 0 {
                        fault = HeaderFault(
                            value, "invalid_files", "\"bytes\" of the file \"\(name)\" is not a whole number",
                            "write the file's size in bytes", pointer + "/bytes")
                    }
                case "sha256":
                    said.sha256 = value.string.flatMap(Self.digest)
                    if said.sha256 == nil {
                        fault = HeaderFault(
                            value, "invalid_files", "\"sha256\" of the file \"\(name)\" is no SHA-256",
                            "write 64 hexadecimal digits", pointer + "/sha256")
                    }
                case let other:
                    fault = HeaderFault(
                        value, "unknown_key", "the file \"\(name)\" has a key \"\(other ?? "")\" that means nothing",
                        "the keys are \"bytes\" and \"sha256\"", pointer)
                }
            }
            claims[ExactName(name)] = said
        }
        if let fault { throw fault }
        files = claims
    }

    private static func digest(_ hexadecimal: String) -> [UInt8]? {
        let digits = hexadecimal.utf8.compactMap { hexValue($0) }
        guard digits.count == 64, hexadecimal.utf8.count == 64 else { return nil }
        return stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}

/// What is wrong with a member of an envelope.
struct HeaderFault: Error {
    let at: Int
    let code: String
    let reason: String
    let remedy: String
    let pointer: String

    init(_ value: JSONSlice, _ code: String, _ reason: String, _ remedy: String, _ pointer: String = "") {
        at = value.start
        self.code = code
        self.reason = reason
        self.remedy = remedy
        self.pointer = pointer
    }
}
