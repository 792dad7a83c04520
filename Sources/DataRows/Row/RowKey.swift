/// The keys that mean something at the top of a row.
enum RowKey: UInt8, CaseIterable {
    case rowData, externalID, globalKey, mediaType, metadataFields, metadata, attachments, embeddings
    case datasetID, uid, createdAt, updatedAt, mediaAttributes
    /// What the row is matched on, for all but create.
    case key
    /// The older shapes.
    case conversationalData, legacyExternalID, type, version, tileLayerURL
    /// The row that is to be deleted.
    case id
    case unknown

    var name: StaticString {
        switch self {
        case .rowData: "row_data"
        case .externalID: "external_id"
        case .globalKey: "global_key"
        case .mediaType: "media_type"
        case .metadataFields: "metadata_fields"
        case .metadata: "metadata"
        case .attachments: "attachments"
        case .embeddings: "embeddings"
        case .datasetID: "dataset_id"
        case .uid: "uid"
        case .createdAt: "created_at"
        case .updatedAt: "updated_at"
        case .mediaAttributes: "media_attributes"
        case .key: "key"
        case .conversationalData: "conversationalData"
        case .legacyExternalID: "externalId"
        case .type: "type"
        case .version: "version"
        case .tileLayerURL: "tileLayerUrl"
        case .id: "id"
        case .unknown: ""
        }
    }

    var text: String { name.description }

    /// What a row may have, for a message.
    static let allowedNames =
        allCases.prefix { $0 != .conversationalData }.map(\.text)

    /// The key of these bytes, as they stand inside the quotes.
    @inline(__always)
    init(_ bytes: UnsafePointer<UInt8>, _ length: Int) {
        func matches(_ key: RowKey) -> Bool {
            let name = key.name
            return name.utf8CodeUnitCount == length && equalBytes(bytes, name.utf8Start, length)
        }
        let candidate: RowKey =
            switch (length, bytes[0]) {
            case (8, 0x72): .rowData
            case (11, 0x65): .externalID
            case (10, 0x67): .globalKey
            case (10, 0x6d): .mediaType
            case (15, 0x6d): .metadataFields
            case (8, 0x6d): .metadata
            case (11, 0x61): .attachments
            case (10, 0x65): bytes[1] == 0x6d ? .embeddings : .legacyExternalID
            case (10, 0x64): .datasetID
            case (3, 0x75): .uid
            case (10, 0x63): .createdAt
            case (10, 0x75): .updatedAt
            case (16, 0x6d): .mediaAttributes
            case (3, 0x6b): .key
            case (18, 0x63): .conversationalData
            case (4, 0x74): .type
            case (7, 0x76): .version
            case (12, 0x74): .tileLayerURL
            case (2, 0x69): .id
            default: .unknown
            }
        self = candidate != .unknown && matches(candidate) ? candidate : .unknown
    }
}

@inline(__always)
func equalBytes(_ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    let left = UnsafeRawPointer(left)
    let right = UnsafeRawPointer(right)
    if count >= 8 {
        var at = 0
        while at &+ 8 <= count {
            if left.loadUnaligned(fromByteOffset: at, as: UInt64.self)
                != right.loadUnaligned(fromByteOffset: at, as: UInt64.self)
            {
                return false
            }
            at &+= 8
        }
        // The last eight, overlapping what was compared.
        return left.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
            == right.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
    }
    for at in 0..<count
    where left.load(fromByteOffset: at, as: UInt8.self) != right.load(fromByteOffset: at, as: UInt8.self) {
        return false
    }
    return true
}
