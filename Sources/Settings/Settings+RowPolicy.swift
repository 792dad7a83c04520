public import DataRows

extension WatchSettings {
    /// The rules that this watch holds rows to.
    public var rowPolicy: RowPolicy {
        RowPolicy(
            operation: DataRows.RowOperation(rawValue: operation.rawValue) ?? .create,
            globalKey: DataRows.GlobalKeyPolicy(rawValue: globalKey.rawValue) ?? .derive, mediaType: mediaType?.rawValue
        )
    }
}
