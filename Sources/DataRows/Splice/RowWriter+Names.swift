extension RowWriter {
    /// Adds what a row is called to a chunk, where that is all that is asked for: when its task has ended, and it is to be found in
    /// what the server says.
    ///
    /// - Returns: where its names stand in the chunk: the same names that ``append(_:_:to:)`` would give it.
    /// - Throws: ``RowWritingError``, as that would.
    public func appendNames(
        of row: borrowing SourceRow, _ addition: RowAddition = RowAddition(), to chunk: inout ChunkBuffer
    ) throws(RowWritingError) -> RowIdentity {
        guard isPlain(row), let key = row.value(.globalKey), key.kind == .string else {
            return try append(row, addition, to: &chunk)
        }
        var identity = RowIdentity(row: row.index)
        let start = chunk.bytes.count
        chunk.bytes += key.raw
        identity.globalKey = start + 1..<chunk.bytes.count - 1
        if let externalID = row.value(.externalID) {
            chunk.bytes += externalID.raw
            identity.externalID = chunk.bytes.count - externalID.count..<chunk.bytes.count
        }
        chunk.countRow()
        return identity
    }

    /// Rows longer than this may find no room in a chunk, for which they are to be written.
    private static let longest = 1 << 20

    /// Whether a row is certainly written, under the names that stand in it and no others.
    private func isPlain(_ row: borrowing SourceRow) -> Bool {
        guard form != .single, row.isObject, row.bytes.count < Self.longest, context.operation == .create,
            context.defaults.entries.isEmpty
        else { return false }
        for key in [.key, .tileLayerURL, .conversationalData, .legacyExternalID, .metadataFields, .embeddings]
            as [RowKey]
        where row.value(key) != nil {
            return false
        }
        switch row.kind(context.policy) {
        case .path, .longText, nil: return false
        default: return true
        }
    }
}
