/// The organization's metadata schema: the reserved fields, and three of its own.
struct Metadata: Sendable {
    struct Field: Sendable {
        let id: String
        let name: String
        let kind: String
        let isReserved: Bool
        var options: [Field] = []
    }

    var fields: [Field]

    /// The reserved ids are the service's own and the same for every account.
    static let standard = Metadata(fields: [
        Field(id: "cko8s9r5v0001h2dk9elqdidh", name: "tag", kind: "CustomMetadataString", isReserved: true),
        Field(
            id: "cko8sbczn0002h2dkdaxb5kal", name: "split", kind: "CustomMetadataEnum", isReserved: true,
            options: [
                option("cko8sbscr0003h2dk04w86hof", "train", isReserved: true),
                option("cko8sc2yr0004h2dk69aj5x63", "valid", isReserved: true),
                option("cko8scbz70005h2dkastwhgqt", "test", isReserved: true),
            ]),
        Field(
            id: "cko8sdzv70006h2dk8jg64zvb", name: "captureDateTime", kind: "CustomMetadataDateTime", isReserved: true),
        Field(id: "ckpyije740000yxdk81pbgjdc", name: "embedding", kind: "CustomMetadataEmbedding", isReserved: true),
        Field(id: "cl8a1n0000001num000000001", name: "confidence", kind: "CustomMetadataNumber", isReserved: false),
        Field(id: "cl8a1n0000002str000000002", name: "camera name", kind: "CustomMetadataString", isReserved: false),
        Field(
            id: "cl8a1n0000003enm000000003", name: "weather", kind: "CustomMetadataEnum", isReserved: false,
            options: [
                option("cl8a1n0000004opt000000004", "sunny", isReserved: false),
                option("cl8a1n0000005opt000000005", "rainy", isReserved: false),
            ]),
    ])

    private static func option(_ id: String, _ name: String, isReserved: Bool) -> Field {
        Field(id: id, name: name, kind: "CustomMetadataEnumOption", isReserved: isReserved)
    }

    /// A field or an option by its id.
    func field(_ id: String) -> Field? {
        for field in fields {
            if field.id == id { return field }
            if let option = field.options.first(where: { $0.id == id }) { return option }
        }
        return nil
    }

    func field(named name: String) -> Field? { fields.first { $0.name == name } }
}
