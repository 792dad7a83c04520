internal import DataRows
public import LabelboxAPI
internal import SystemPackage

/// Changes of one row; only what is given changes.
public struct RowUpdate: Sendable {
    public var rowData: String?
    public var externalID: String?
    public var globalKey: String?

    /// - Parameters:
    ///   - rowData: Text, a URL, or an object as JSON text.
    ///   - externalID: The new external id.
    ///   - globalKey: The new global key.
    /// - Throws: ``ControlError`` where nothing is given, or a global key that the service would refuse.
    public init(rowData: String?, externalID: String?, globalKey: String?) throws(ControlError) {
        guard rowData != nil || externalID != nil || globalKey != nil else {
            throw ControlError(
                "rows update", why: "nothing is to be changed",
                hint: "give --row-data, --external-id or --new-global-key", status: .usage)
        }
        if let globalKey, !(1...200).contains(globalKey.count) {
            throw ControlError(
                "--new-global-key", why: "it has \(globalKey.count) characters", hint: "give 1 to 200", status: .usage)
        }
        if rowData?.isEmpty == true {
            throw ControlError(
                "--row-data", why: "it is empty, and a row without data cannot be",
                hint: "give text, a URL or an object",
                status: .usage)
        }
        self.rowData = rowData
        self.externalID = externalID
        self.globalKey = globalKey
    }

    /// What `--row-data` stands for: the text, or with `@` in front a file's content.
    ///
    /// - Throws: ``ControlError`` when the file cannot be read, or holds what is no UTF-8 or more than `limit` bytes.
    public static func rowData(_ argument: String, limit: Int = 10_000_000) throws(ControlError) -> String {
        guard argument.hasPrefix("@") else { return argument }
        let name = String(argument.dropFirst())
        func failure(_ why: String, _ status: ExitStatus) -> ControlError {
            ControlError(VisibleText.of(name), why: why, hint: "name a file of text after the @", status: status)
        }
        let bytes: [UInt8]
        do {
            let file = try FileDescriptor.open(FilePath(name), .readOnly, options: [.closeOnExec])
            bytes = try file.closeAfter {
                var bytes: [UInt8] = []
                var piece = [UInt8](repeating: 0, count: 1 << 16)
                while bytes.count <= limit {
                    let count = try piece.withUnsafeMutableBytes { try file.read(into: $0) }
                    if count == 0 { break }
                    bytes += piece[..<count]
                }
                return bytes
            }
        } catch {
            throw failure("it cannot be read: \(error)", .noInput)
        }
        guard bytes.count <= limit else { throw failure("it has more than \(limit) bytes", .usage) }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw failure("it is not UTF-8", .usage) }
        return text
    }

    /// Makes the changes, and reads the row as it is then.
    ///
    /// - Parameters:
    ///   - name: The row.
    ///   - client: Who is asked.
    /// - Returns: The row after the change.
    /// - Throws: ``ControlError``.
    public func run(_ name: RowName, by client: LabelboxClient) async throws -> RowLine {
        let finder = RowFinder(client: client, dataset: nil)
        let id: DataRowID
        if case .id(let text) = name { id = DataRowID(rawValue: text) } else { id = try await finder.find(name).row.id }
        do throws(LabelboxError) {
            try await client.updateDataRow(id, rowData: rowData, externalID: externalID, globalKey: globalKey)
        } catch {
            throw ControlError(
                "\(name)", error,
                unknownOutcome:
                    "look with 'datarowctl rows get --id \(VisibleText.of(id.rawValue))', and run it again if it was not: "
                    + "an update that is made twice ends in the same state")
        }
        return try await finder.find(.id(id.rawValue))
    }
}
