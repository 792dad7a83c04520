/// What may be asked for: types, their fields and arguments.
struct Schema: Sendable {
    struct Argument: Sendable {
        let type: TypeReference
        let hasDefault: Bool
        var isRequired: Bool { type.isRequired && !hasDefault }
    }

    struct Field: Sendable {
        let type: TypeReference
        let arguments: [String: Argument]
    }

    /// Object types and input types alike: an input's members are fields without arguments.
    private(set) var types: [String: [String: Field]] = [:]
    private(set) var inputs: [String: [String: Argument]] = [:]
    private(set) var unions: [String: [String]] = [:]
    private(set) var scalars: Set<String> = ["ID", "String", "Int", "Float", "Boolean"]

    /// Reads the schema definition language: `type`, `input`, `union` and `scalar`.
    init(parsing text: String) throws(GraphQLError) {
        var parser = try Parser(text)
        while !parser.isAtEnd {
            let keyword = try parser.name()
            let name = try parser.name()
            switch keyword {
            case "scalar": scalars.insert(name)
            case "union":
                try parser.expect(.mark("="))
                var members = [try parser.name()]
                while try parser.takes(.mark("|")) { members.append(try parser.name()) }
                unions[name] = members
            case "input": inputs[name] = try Self.arguments(&parser, between: "{", "}")
            default:
                try parser.expect(.mark("{"))
                var fields: [String: Field] = [:]
                while try !parser.takes(.mark("}")) {
                    let field = try parser.name()
                    let arguments = parser.isNext("(") ? try Self.arguments(&parser, between: "(", ")") : [:]
                    try parser.expect(.mark(":"))
                    fields[field] = Field(type: try parser.type(), arguments: arguments)
                }
                types[name] = fields
            }
        }
    }

    private static func arguments(
        _ parser: inout Parser, between open: String, _ close: String
    ) throws(GraphQLError) -> [String: Argument] {
        try parser.expect(.mark(open))
        var arguments: [String: Argument] = [:]
        while try !parser.takes(.mark(close)) {
            let name = try parser.name()
            try parser.expect(.mark(":"))
            let type = try parser.type()
            let hasDefault = try parser.takes(.mark("="))
            if hasDefault { _ = try parser.name() }
            arguments[name] = Argument(type: type, hasDefault: hasDefault)
        }
        return arguments
    }

    func isLeaf(_ type: String) -> Bool { scalars.contains(type) }
    func isInput(_ type: String) -> Bool { scalars.contains(type) || inputs[type] != nil }
}
