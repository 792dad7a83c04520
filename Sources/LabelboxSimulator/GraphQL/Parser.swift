/// Reads GraphQL documents, and the schema that they are checked against.
package struct Parser {
    private var lexer: Lexer
    private var token: Lexer.Token
    private var place: Place
    private var depth = 0

    init(_ text: String) throws(GraphQLError) {
        lexer = Lexer(text)
        (token, place) = try lexer.next()
    }

    /// Parses a document as clients send it.
    package static func document(_ text: String) throws(GraphQLError) -> Document {
        var parser = try Parser(text)
        return try parser.document()
    }

    private mutating func document() throws(GraphQLError) -> Document {
        var document = Document()
        repeat {
            switch token {
            case .mark("{"):
                let selections = try selectionSet()
                document.operations.append(.init(kind: .query, name: nil, variables: [], selections: selections))
            case .name("fragment"):
                try advance()
                let name = try name()
                try expect(.name("on"))
                let type = try self.name()
                _ = try directives()
                document.fragments[name] = .init(type: type, selections: try selectionSet())
            case .name(let word):
                guard let kind = Document.Operation.Kind(rawValue: word) else { throw unexpected() }
                try advance()
                document.operations.append(try operation(kind))
            default: throw unexpected()
            }
        } while token != .end
        return document
    }

    private mutating func operation(_ kind: Document.Operation.Kind) throws(GraphQLError) -> Document.Operation {
        var operation = Document.Operation(kind: kind, name: nil, variables: [], selections: [])
        if case .name(let name) = token {
            operation.name = name
            try advance()
        }
        if try takes(.mark("(")) {
            while try !takes(.mark(")")) {
                let place = place
                try expect(.mark("$"))
                let name = try name()
                try expect(.mark(":"))
                let type = try type()
                let defaultValue = try takes(.mark("=")) ? try literal() : nil
                _ = try directives()
                operation.variables.append(.init(name: name, type: type, defaultValue: defaultValue, place: place))
            }
        }
        _ = try directives()
        operation.selections = try selectionSet()
        return operation
    }

    private mutating func selectionSet() throws(GraphQLError) -> [Document.Selection] {
        try descend()
        defer { depth -= 1 }
        try expect(.mark("{"))
        var selections: [Document.Selection] = []
        repeat { selections.append(try selection()) } while try !takes(.mark("}"))
        return selections
    }

    private mutating func selection() throws(GraphQLError) -> Document.Selection {
        let place = place
        guard try takes(.mark("...")) else { return .field(try field()) }
        if case .name(let word) = token, word != "on" {
            try advance()
            return .spread(fragment: word, directives: try directives(), place: place)
        }
        let type = try takes(.name("on")) ? try name() : nil
        return .inline(type: type, directives: try directives(), selections: try selectionSet())
    }

    private mutating func field() throws(GraphQLError) -> Document.Field {
        let place = place
        var name = try name()
        var alias: String?
        if try takes(.mark(":")) {
            alias = name
            name = try self.name()
        }
        let arguments = token == .mark("(") ? try arguments() : []
        let directives = try directives()
        let selections = token == .mark("{") ? try selectionSet() : []
        return .init(
            alias: alias, name: name, arguments: arguments, directives: directives, selections: selections, place: place
        )
    }

    private mutating func arguments() throws(GraphQLError) -> [Document.Argument] {
        try expect(.mark("("))
        var arguments: [Document.Argument] = []
        repeat { arguments.append(try argument()) } while try !takes(.mark(")"))
        return arguments
    }

    private mutating func argument() throws(GraphQLError) -> Document.Argument {
        let name = try name()
        try expect(.mark(":"))
        return .init(name: name, value: try literal())
    }

    private mutating func directives() throws(GraphQLError) -> [Document.Directive] {
        var directives: [Document.Directive] = []
        while try takes(.mark("@")) {
            let name = try name()
            directives.append(.init(name: name, arguments: token == .mark("(") ? try arguments() : []))
        }
        return directives
    }

    private mutating func literal() throws(GraphQLError) -> Literal {
        try descend()
        defer { depth -= 1 }
        let first = token
        switch first {
        case .number(let text):
            try advance()
            return .number(text)
        case .string(let text):
            try advance()
            return .string(text)
        case .name(let word):
            try advance()
            switch word {
            case "true": return .bool(true)
            case "false": return .bool(false)
            case "null": return .null
            default: return .enumeration(word)
            }
        case .mark("$"):
            try advance()
            return .variable(try name())
        case .mark("["):
            try advance()
            var elements: [Literal] = []
            while try !takes(.mark("]")) { elements.append(try literal()) }
            return .list(elements)
        case .mark("{"):
            try advance()
            var members: [Document.Argument] = []
            while try !takes(.mark("}")) { members.append(try argument()) }
            return .object(members)
        default: throw unexpected()
        }
    }

    mutating func type() throws(GraphQLError) -> TypeReference {
        try descend()
        defer { depth -= 1 }
        var type: TypeReference
        if try takes(.mark("[")) {
            type = .list(try self.type())
            try expect(.mark("]"))
        } else {
            type = .named(try name())
        }
        return try takes(.mark("!")) ? .nonNull(type) : type
    }

    mutating func name() throws(GraphQLError) -> String {
        guard case .name(let name) = token else { throw expected("Name") }
        try advance()
        return name
    }

    mutating func takes(_ wanted: Lexer.Token) throws(GraphQLError) -> Bool {
        guard token == wanted else { return false }
        try advance()
        return true
    }

    mutating func expect(_ wanted: Lexer.Token) throws(GraphQLError) {
        guard try takes(wanted) else { throw expected(wanted.text) }
    }

    var isAtEnd: Bool { token == .end }

    func isNext(_ mark: String) -> Bool { token == .mark(mark) }

    private mutating func advance() throws(GraphQLError) { (token, place) = try lexer.next() }

    /// A document is a tree of calls to itself; a limit keeps a hostile one off the stack's end.
    private mutating func descend() throws(GraphQLError) {
        depth += 1
        if depth > 200 { throw GraphQLError(.parseFailed, "Syntax Error: nested too deep.", at: place) }
    }

    private func expected(_ what: String) -> GraphQLError {
        GraphQLError(.parseFailed, "Syntax Error: Expected \(what), found \(token.text).", at: place)
    }

    private func unexpected() -> GraphQLError {
        GraphQLError(.parseFailed, "Syntax Error: Unexpected \(token.text).", at: place)
    }
}
