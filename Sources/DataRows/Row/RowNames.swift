/// What a row is called by its sender, as the JSON strings that were written; for reports on rows that are not imported.
///
/// The global key is that of the row which this one is matched on, where it has none of its own.
public struct RowNames: Sendable, Hashable {
    /// With its quotes; nil if there is none, or if it is no string.
    public var globalKey: [UInt8]?
    /// With its quotes; nil if there is none, or if it is no string.
    public var externalID: [UInt8]?

    /// Creates names.
    public init(globalKey: [UInt8]? = nil, externalID: [UInt8]? = nil) {
        self.globalKey = globalKey
        self.externalID = externalID
    }

    init(_ members: JSONMembers, in bytes: UnsafePointer<UInt8>) {
        func string(_ key: RowKey) -> [UInt8]? {
            guard let value = members.value(key, in: bytes), value.kind == .string else { return nil }
            return Array(value.raw)
        }
        var globalKey = string(.globalKey)
        if globalKey == nil, let key = members.value(.key, in: bytes), case .globalKey(let value)? = RowMatch(key) {
            globalKey = Array(value.raw)
        }
        self.init(globalKey: globalKey, externalID: string(.externalID))
    }
}
