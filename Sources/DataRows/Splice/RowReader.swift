/// One row as pass 2 reads it, in memory only while the body that was given it runs.
public struct SourceRow: ~Copyable {
    /// The row's number, from 0.
    public let index: Int
    /// Where the row stands in the (uncompressed) text.
    public let byteRange: Range<Int64>
    /// The row is longer than rows may be: pass 1 rejected it, and its bytes are not here.
    public let isOversize: Bool

    let base: UnsafePointer<UInt8>
    let start: Int
    let end: Int
    let offset: Int64
    let members: JSONMembers

    /// The row's bytes as written, without the comma or line break after it; not to be kept.
    public var bytes: UnsafeRawBufferPointer { whole.raw }

    /// A hash of the bytes, the same as pass 1 told.
    public var repetitionHash: UInt64 { RepetitionHash.of(base + start, end - start) }

    var whole: JSONSlice { JSONSlice(bytes: base, start: start, end: end) }
    var isObject: Bool { !isOversize && base[start] == 0x7b }

    func value(_ key: RowKey) -> JSONSlice? { isObject ? members.value(key, in: base) : nil }

    /// What names or holds the content: a string item itself, else `row_data`.
    var content: JSONSlice? {
        if isOversize { return nil }
        if isObject {
            return value(.conversationalData) == nil && value(.tileLayerURL) == nil ? value(.rowData) : nil
        }
        return whole.kind == .string ? whole : nil
    }

    func kind(_ policy: RowPolicy) -> RowContent? {
        guard let content else { return nil }
        if isObject { return RowContent(of: content, maximumTextBytes: policy.maximumTextBytes) }
        return .path
    }

    /// What the row is called by its sender.
    public var names: RowNames { isObject ? RowNames(members, in: base) : RowNames() }

    /// The local file that the row names, `file:` resolved; nil if it names none.
    public func mediaPath(_ policy: RowPolicy) -> String? {
        guard kind(policy) == .path else { return nil }
        return content?.string.flatMap(MediaPath.resolve)
    }

    /// The text that is to be uploaded as a file, in UTF-8; nil if it goes inline, or if there is none.
    ///
    /// A surrogate without its partner cannot be written in UTF-8 and becomes U+FFFD.
    public func textToUpload(_ policy: RowPolicy) -> [UInt8]? {
        guard kind(policy) == .longText, let content else { return nil }
        return JSONText.unescapedLossily(content.inner)
    }

    /// The existing row that this one is for, if it says so.
    public var target: RowTarget? {
        guard let key = value(.key) else { return nil }
        switch RowMatch(key) {
        case .id(let value): return value.string.map(RowTarget.id)
        case .globalKey(let value): return value.string.map(RowTarget.globalKey)
        case nil: return nil
        }
    }
}

/// The existing row that a row of an upsert, update or delete is for.
public enum RowTarget: Sendable, Hashable {
    case id(String)
    case globalKey(String)
    /// Only of a row that is to be deleted; several rows may be called so.
    case externalID(String)
}

/// Pass 2: reads the rows of a part of a manifest again, one after the other, through one window.
public enum RowReader {
    /// Reads rows.
    ///
    /// - Parameters:
    ///   - manifest: the file, not compressed.
    ///   - byteRange: from the first byte of the first row to the last byte of the last, as pass 1 told.
    ///   - firstRow: the first row's number.
    ///   - rowCount: how many rows there must be.
    ///   - policy: the limits that pass 1 had.
    ///   - body: given each row, rejected ones too.
    /// - Throws: ``ManifestError`` with the code `changed` when the rows are not where they were, others when the bytes
    ///   are no JSON any more; `Errno`; what `body` throws.
    public static func read(
        _ manifest: ManifestFile, byteRange: Range<Int64>, firstRow: Int, rowCount: Int, policy: RowPolicy,
        body: (borrowing SourceRow) throws -> Void
    ) throws {
        try read(
            manifest, byteRange: byteRange, firstRow: firstRow, rowCount: rowCount, policy: policy,
            windowBytes: 1 << 18, body: body)
    }

    package static func read(
        _ manifest: ManifestFile, byteRange: Range<Int64>, firstRow: Int, rowCount: Int, policy: RowPolicy,
        windowBytes: Int, body: (borrowing SourceRow) throws -> Void
    ) throws {
        let options = ManifestWalker.Options(
            depthLimit: policy.depthLimit, maximumRowBytes: policy.maximumRowBytes, windowBytes: windowBytes)
        var walker = ManifestWalker(manifest, options: options, part: byteRange, firstRow: firstRow)
        var count = 0
        var end = byteRange.lowerBound
        while try walker.next() {
            count += 1
            end = walker.rowRange.upperBound
            guard count <= rowCount, count > 1 || walker.rowRange.lowerBound == byteRange.lowerBound else {
                throw changed(manifest, firstRow + count - 1, walker.rowRange.lowerBound)
            }
            let base = UnsafePointer(walker.window.bytes)
            if !walker.isOversize, base[walker.rowStart] == 0x7b { walker.members.identify(in: base) }
            try body(
                SourceRow(
                    index: walker.row, byteRange: walker.rowRange, isOversize: walker.isOversize, base: base,
                    start: walker.rowStart, end: walker.rowEnd, offset: walker.window.offset,
                    members: walker.members))
        }
        guard count == rowCount, end == byteRange.upperBound else { throw changed(manifest, firstRow + count, end) }
    }

    private static func changed(_ manifest: ManifestFile, _ row: Int, _ place: Int64) -> ManifestError {
        ManifestError(
            code: "changed", file: manifest.name, row: row, byteOffset: place,
            reason: "the rows are not where they were when the manifest was read first",
            remedy: "leave the file alone while it is imported")
    }
}
