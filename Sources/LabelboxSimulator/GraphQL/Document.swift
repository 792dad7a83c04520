/// A parsed GraphQL document: operations and fragments.
package struct Document: Sendable, Equatable {
    package var operations: [Operation] = []
    package var fragments: [String: Fragment] = [:]

    package struct Operation: Sendable, Equatable {
        package enum Kind: String, Sendable { case query, mutation, subscription }
        package var kind: Kind
        package var name: String?
        package var variables: [VariableDefinition]
        package var selections: [Selection]
    }

    package struct Fragment: Sendable, Equatable {
        package var type: String
        package var selections: [Selection]
    }

    package struct VariableDefinition: Sendable, Equatable {
        package var name: String
        package var type: TypeReference
        package var defaultValue: Literal?
        package var place: Place
    }

    package enum Selection: Sendable, Equatable {
        case field(Field)
        case spread(fragment: String, directives: [Directive], place: Place)
        case inline(type: String?, directives: [Directive], selections: [Selection])
    }

    package struct Field: Sendable, Equatable {
        package var alias: String?
        package var name: String
        package var arguments: [Argument]
        package var directives: [Directive]
        package var selections: [Selection]
        package var place: Place

        package var responseKey: String { alias ?? name }
    }

    package struct Argument: Sendable, Equatable {
        package var name: String
        package var value: Literal
    }

    package struct Directive: Sendable, Equatable {
        package var name: String
        package var arguments: [Argument]
    }
}

/// Line and column, both counted from 1.
package struct Place: Sendable, Equatable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

/// A value as it stands in a document.
package indirect enum Literal: Sendable, Equatable {
    case variable(String)
    case number(String)
    case string(String)
    case bool(Bool)
    case null
    case enumeration(String)
    case list([Literal])
    case object([Document.Argument])
}

/// A type as a variable or a field names it, such as `[ID!]!`.
package indirect enum TypeReference: Sendable, Equatable, CustomStringConvertible {
    case named(String)
    case list(TypeReference)
    case nonNull(TypeReference)

    package var description: String {
        switch self {
        case .named(let name): name
        case .list(let element): "[\(element)]"
        case .nonNull(let inner): "\(inner)!"
        }
    }

    /// The innermost type's name.
    package var name: String {
        switch self {
        case .named(let name): name
        case .list(let inner), .nonNull(let inner): inner.name
        }
    }

    var isRequired: Bool { if case .nonNull = self { true } else { false } }
}

/// A GraphQL error as a client sees it.
package struct GraphQLError: Error, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case parseFailed = "GRAPHQL_PARSE_FAILED"
        case validationFailed = "GRAPHQL_VALIDATION_FAILED"
        case notFound = "RESOURCE_NOT_FOUND"
        case malformed = "MALFORMED_REQUEST"
        case notAllowed = "OPERATION_NOT_ALLOWED"
        case authentication = "AUTHENTICATION_ERROR"
        case `internal` = "INTERNAL_SERVER_ERROR"
    }

    package let code: Code
    package let message: String
    package var place: Place?

    package init(_ code: Code, _ message: String, at place: Place? = nil) {
        self.code = code
        self.message = message
        self.place = place
    }

    package var description: String { "\(code.rawValue): \(message)" }

    var json: JSONValue {
        var members: [JSONValue.Member] = [.init("message", .string(message))]
        if let place {
            members.append(.init("locations", [["line": JSONValue(place.line), "column": JSONValue(place.column)]]))
        }
        members.append(.init("extensions", ["code": .string(code.rawValue)]))
        return .object(members)
    }
}
