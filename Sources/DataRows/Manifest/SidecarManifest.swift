internal import Crypto
internal import Glibc
public import SystemPackage

/// A file that lies beside a media file, `photo.jpg.json` beside `photo.jpg`, and holds the keys of that file's row.
///
/// It is a manifest of one row that leaves out what its name says: what it holds is an object without `rows` and without
/// `row_data`. A file of such a name that holds anything else is a manifest like others.
public enum SidecarManifest {
    /// What follows the media file's name.
    public static let suffix = ".json"

    /// The media file that a file would be the sidecar of, by its name alone.
    ///
    /// - Parameters:
    ///   - name: the file's name or path.
    ///   - rules: tell which extensions are those of media.
    /// - Returns: the media file's name or path; nil for what can be no sidecar.
    public static func mediaName(of name: String, rules: MediaRules) -> String? {
        guard name.lowercased().hasSuffix(suffix) else { return nil }
        let media = String(name.dropLast(suffix.count))
        return rules.isKnown(name: media) ? media : nil
    }

    /// Writes the row that a sidecar stands for, so that it is read as any manifest is.
    ///
    /// The sidecar's bytes stay as they are, and where they are; what it leaves out is put before its last brace.
    ///
    /// - Parameters:
    ///   - file: the file, whose name may be that of a sidecar.
    ///   - media: the media file's path as a row beside the sidecar would name it, such as `./photo.jpg`.
    ///   - externalID: the row's external id, where the sidecar gives none.
    ///   - path: where the row goes; a file that is there is replaced. `path` with `.part` behind it is used meanwhile.
    ///   - maximumBytes: the largest sidecar; what is larger is a manifest.
    /// - Returns: the row as lines of JSON, or the file itself, to be read so, where it is no JSON; nil if it is a manifest.
    /// - Throws: ``ManifestError`` for keys that no sidecar can have, `Errno`.
    public static func expand(
        _ file: ManifestFile, media: String, externalID: String, to path: FilePath, maximumBytes: Int
    ) throws -> ManifestFile? {
        guard file.byteCount <= Int64(maximumBytes) else { return nil }
        let count = Int(file.byteCount)
        let bytes = try file.bytes(in: 0..<file.byteCount) + [UInt8](repeating: 0, count: JSONScanner.slack)
        var start = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
        while start < count, bytes[start].isJSONSpace { start += 1 }
        guard start < count, bytes[start] == 0x7b else { return nil }
        switch try content(bytes, start, count, file.name) {
        case .manifest: return nil
        case .malformed:
            // Read as a row, it is told where it is wrong.
            return try ManifestFile(
                descriptor: try file.descriptor.duplicate(), name: file.name, format: ManifestFormat(.lines))
        case .sidecar(let brace, let isEmpty, let hasExternalID):
            var row = Array(bytes[..<brace])
            if !isEmpty { row.append(0x2c) }
            row += Array("\"row_data\":".utf8)
            JSONText.appendString(media.utf8, to: &row)
            if !hasExternalID {
                row += Array(",\"external_id\":".utf8)
                JSONText.appendString(externalID.utf8, to: &row)
            }
            row += Array("}\n".utf8)
            let digest = ManifestFile.Digest(
                byteCount: file.byteCount, sha256: Array(SHA256.hash(data: bytes[..<count])))
            return try write(row, to: path, name: file.name, digest)
        }
    }

    private enum Content {
        case manifest, malformed
        case sidecar(brace: Int, isEmpty: Bool, hasExternalID: Bool)
    }

    private static func content(_ bytes: [UInt8], _ start: Int, _ count: Int, _ name: String) throws -> Content {
        var members = JSONMembers()
        defer { members.deallocate() }
        var refused: RowKey?
        let content = bytes.withUnsafeBufferPointer { buffer -> Content in
            guard let base = buffer.baseAddress else { return .malformed }
            let scanner = JSONScanner(bytes: base, end: count, isLast: true, depthLimit: 64)
            let end = scanner.value(at: start, members: &members)
            var after = max(end, start)
            while after < count, bytes[after].isJSONSpace { after += 1 }
            guard end > 0, after == count else { return .malformed }
            members.identify(in: base)
            if members.value(.rowData, in: base) != nil { return .manifest }
            for index in 0..<members.count where members.list[index].key == .unknown {
                let member = members.list[index]
                let key = UnsafeRawBufferPointer(
                    start: base + Int(member.keyStart), count: Int(member.keyEnd - member.keyStart))
                if JSONText.decoded(key) == "rows" { return .manifest }
            }
            refused = [.conversationalData, .tileLayerURL].first { members.value($0, in: base) != nil }
            return .sidecar(
                brace: end - 1, isEmpty: members.total == 0, hasExternalID: members.value(.externalID, in: base) != nil)
        }
        if let refused {
            throw ManifestError(
                code: "invalid_sidecar", file: name, byteOffset: Int64(start), pointer: "/\(refused.text)",
                reason: "a sidecar's row has the media file as its content, and \"\(refused.text)\" would be another",
                remedy: "remove the key, or write a manifest with a row of its own for it")
        }
        return content
    }

    private static func write(
        _ row: [UInt8], to path: FilePath, name: String, _ digest: ManifestFile.Digest
    ) throws -> ManifestFile {
        let part = FilePath(path.string + ".part")
        let target = try FileDescriptor.open(
            part, .readWrite, options: [.create, .truncate, .closeOnExec], permissions: [.ownerReadWrite, .groupRead])
        do {
            _ = try target.writeAll(toAbsoluteOffset: 0, row)
            guard fdatasync(target.rawValue) == 0 else { throw Errno(rawValue: errno) }
            guard rename(part.string, path.string) == 0 else { throw Errno(rawValue: errno) }
            return try ManifestFile(
                descriptor: target, name: name, format: ManifestFormat(.lines), original: digest)
        } catch {
            // What failed is told; that the rest of it could not be cleared away would add nothing.
            unlink(part.string)
            try? target.close()
            throw error
        }
    }
}
