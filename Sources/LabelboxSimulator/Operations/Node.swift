/// What a field answers, before the selection has picked from it.
indirect enum Node: Sendable {
    case null
    case value(JSONValue)
    case list([Node])
    case fields(type: String, [String: Node])
    case user
    case organization
    case dataset(Int32)
    case project(Int)
    case task(Int)
    case row(Int32)
    /// Whole pages, written without a node for each row.
    case rows([Int32])
    case importedRows([Int32])
    case failures(ArraySlice<ImportTask.Failure>)

    static func text(_ text: String?) -> Node { text.map { .value(.string($0)) } ?? .null }
    static func int(_ number: Int) -> Node { .value(JSONValue(number)) }
    static func bool(_ flag: Bool) -> Node { .value(.bool(flag)) }
    static func time(_ moment: Moment) -> Node { .value(.string(moment.text)) }
}

/// Writes nodes as the selection wants them.
struct AnswerWriter {
    let world: World
    let now: Moment
    var output = JSONOutput()

    mutating func write(_ node: Node, _ selection: [Selected]) {
        switch node {
        case .null: output.raw("null")
        case .value(let value): output.value(value)
        case .list(let nodes): list(nodes) { $0.write($1, selection) }
        case .rows(let rows): dataRows(rows, selection)
        case .row(let row): dataRow(row, selection)
        case .importedRows(let rows): importedRows(rows, selection)
        case .failures(let failures): list(failures) { $0.failure($1, selection) }
        case .fields(let type, let fields):
            object(type, selection) { writer, field in writer.write(fields[field.name] ?? .null, field.children) }
        case .user:
            object("User", selection) { writer, field in
                writer.write(writer.world.userField(field), field.children)
            }
        case .organization:
            write(
                .fields(
                    type: "Organization",
                    [
                        "id": .text(World.organizationID), "name": .text("Example Org"),
                        "createdAt": .time(world.started),
                        "updatedAt": .time(world.started),
                    ]), selection)
        case .dataset(let number):
            object("Dataset", selection) { writer, field in
                writer.write(writer.world.datasetField(field, of: number, now: writer.now), field.children)
            }
        case .project(let number):
            object("Project", selection) { writer, field in
                writer.write(writer.world.projectField(field, of: number), field.children)
            }
        case .task(let number):
            object("Task", selection) { writer, field in
                writer.write(writer.world.taskField(field.name, of: number, now: writer.now), field.children)
            }
        }
    }

    @inline(__always)
    private mutating func list<Elements: Collection>(
        _ elements: Elements, _ write: (inout AnswerWriter, Elements.Element) -> Void
    ) {
        output.raw("[")
        var isFirst = true
        for element in elements {
            if !isFirst { output.raw(",") }
            isFirst = false
            write(&self, element)
        }
        output.raw("]")
    }

    @inline(__always)
    private mutating func object(
        _ type: String, _ selection: [Selected], _ write: (inout AnswerWriter, Selected) -> Void
    ) {
        output.raw("{")
        for (index, field) in selection.enumerated() {
            if index > 0 { output.raw(",") }
            output.string(field.key)
            output.raw(":")
            if field.name == "__typename" { output.string(type) } else { write(&self, field) }
        }
        output.raw("}")
    }

    // MARK: Rows

    private mutating func dataRow(_ number: Int32, _ selection: [Selected]) {
        object("DataRow", selection) { writer, field in writer.rowField(number, field) }
    }

    private mutating func rowField(_ number: Int32, _ field: Selected) {
        let row = world.rows[Int(number)]
        switch field.name {
        case "__typename": output.string("DataRow")
        case "id": output.identifier(World.rowPrefix, Int(number))
        case "externalId": literal(row.externalID)
        case "globalKey": text(row.globalKey)
        case "rowData": rowData(row.rowData)
        case "createdAt": output.string(row.created.text)
        case "updatedAt": output.string(row.updated.text)
        case "mediaAttributes": output.raw("{}")
        case "dataset": write(.dataset(row.dataset), field.children)
        case "attachments": write(world.attachments(of: row.payload, field, row: number), field.children)
        default: write(world.metadata(of: row.payload), field.children)
        }
    }

    /// A page of rows: what does not differ from row to row is written once.
    private mutating func dataRows(_ rows: [Int32], _ selection: [Selected]) {
        let keys = selection.map { field in
            var key = JSONOutput()
            key.string(field.key)
            key.raw(":")
            return key.bytes
        }
        // Rows that were made together have the same times.
        var lastMoment: Moment?
        var lastText: [UInt8] = []
        func time(_ moment: Moment) -> [UInt8] {
            if moment == lastMoment { return lastText }
            lastMoment = moment
            lastText = Array("\"\(moment.text)\"".utf8)
            return lastText
        }
        list(rows) { writer, number in
            var mark = UInt8(ascii: "{")
            for (field, key) in zip(selection, keys) {
                writer.output.byte(mark)
                mark = UInt8(ascii: ",")
                writer.output.raw(key)
                switch field.name {
                case "createdAt": writer.output.raw(time(writer.world.rows[Int(number)].created))
                case "updatedAt": writer.output.raw(time(writer.world.rows[Int(number)].updated))
                default: writer.rowField(number, field)
                }
            }
            writer.output.byte(UInt8(ascii: "}"))
        }
    }

    /// The page that a client reads for each row that it sent: the hot one.
    private mutating func importedRows(_ rows: [Int32], _ selection: [Selected]) {
        enum Part { case id, externalID, globalKey, rowData, typename }
        let parts = selection.map { field -> (key: [UInt8], part: Part) in
            var key = JSONOutput()
            key.string(field.key)
            key.raw(":")
            switch field.name {
            case "id": return (key.bytes, .id)
            case "externalId": return (key.bytes, .externalID)
            case "globalKey": return (key.bytes, .globalKey)
            case "rowData": return (key.bytes, .rowData)
            default: return (key.bytes, .typename)
            }
        }
        list(rows) { writer, number in
            let row = writer.world.rows[Int(number)]
            var mark = UInt8(ascii: "{")
            for (key, part) in parts {
                writer.output.byte(mark)
                mark = UInt8(ascii: ",")
                writer.output.raw(key)
                switch part {
                case .id: writer.output.identifier(World.rowPrefix, Int(number))
                case .externalID: writer.literal(row.externalID)
                case .globalKey: writer.text(row.globalKey)
                case .rowData: writer.rowData(row.rowData)
                case .typename: writer.output.raw("\"ImportedDataRow\"")
                }
            }
            writer.output.byte(UInt8(ascii: "}"))
        }
    }

    private mutating func failure(_ failure: ImportTask.Failure, _ selection: [Selected]) {
        let spec = world.spec(of: failure.payload)
        object("FailedDataRowImport", selection) { writer, field in
            if field.name == "message" {
                writer.output.string(writer.world.message(failure))
            } else {
                writer.object("ImportSpec", field.children) { writer, field in
                    switch field.name {
                    case "externalId": writer.literal(spec.externalID)
                    case "globalKey": writer.literal(spec.globalKey)
                    case "rowData": writer.rowData(spec.rowData)
                    case "attachments":
                        writer.write(writer.world.attachments(of: failure.payload, field, row: nil), field.children)
                    default: writer.write(writer.world.metadata(of: failure.payload, asSent: true), field.children)
                    }
                }
            }
        }
    }

    /// A literal of the payload goes out as it came in.
    private mutating func literal(_ piece: Piece) {
        guard piece.exists else { return output.raw("null") }
        let raw = world.slabs[piece]
        if raw.first == UInt8(ascii: "\"") { output.raw(raw) } else { output.string(raw) }
    }

    private mutating func text(_ piece: Piece) {
        if piece.exists { output.string(world.slabs[piece]) } else { output.raw("null") }
    }

    /// Text as it is; an object as a string of JSON, but a PDF with a text layer as its URL.
    private mutating func rowData(_ piece: Piece) {
        guard piece.exists, let first = world.slabs[piece].first else { return output.raw("null") }
        guard first == UInt8(ascii: "{") else { return literal(piece) }
        if let object = try? JSONValue(parsing: world.slabs[piece]), let url = object["pdf_url"]?.string {
            output.string(url)
        } else {
            output.string(world.slabs[piece])
        }
    }
}
