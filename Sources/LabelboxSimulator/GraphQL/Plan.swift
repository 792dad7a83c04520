/// A field to be answered: fragments spread, directives applied, variables put in, duplicates merged.
package struct Selected: Sendable, Equatable {
    package let key: String
    package let name: String
    package let arguments: JSONValue
    package var children: [Selected]

    /// An argument that was given; null when it was given as null.
    subscript(_ argument: String) -> JSONValue? { arguments[argument] }
}

/// Checks a request against the schema and resolves it to the fields that it wants.
package struct Planner {
    let schema: Schema
    private let document: Document
    private let operation: Document.Operation
    private let given: JSONValue
    private var variables: [String: JSONValue] = [:]
    private var used: Set<String> = []
    private var openFragments: Set<String> = []

    init(
        schema: Schema, document: Document, operationName: String?, variables: JSONValue
    ) throws(GraphQLError) {
        self.schema = schema
        self.document = document
        self.given = variables
        if let operationName {
            guard let named = document.operations.first(where: { $0.name == operationName }) else {
                throw GraphQLError(.validationFailed, "Unknown operation named \"\(operationName)\".")
            }
            operation = named
        } else {
            guard let only = document.operations.first else {
                throw GraphQLError(.parseFailed, "Syntax Error: Unexpected <EOF>.")
            }
            guard document.operations.count == 1 else {
                throw GraphQLError(
                    .validationFailed, "Must provide operation name if query contains multiple operations.")
            }
            operation = only
        }
    }

    /// The root fields, in the order of the document.
    mutating func plan() throws(GraphQLError) -> (kind: Document.Operation.Kind, fields: [Selected]) {
        guard operation.kind != .subscription else {
            throw GraphQLError(.validationFailed, "Schema is not configured to execute subscription operation.")
        }
        for definition in operation.variables { try bind(definition) }
        let root = operation.kind == .query ? "Query" : "Mutation"
        let fields = try fields(of: operation.selections, on: root)
        for definition in operation.variables where !used.contains(definition.name) {
            throw GraphQLError(
                .validationFailed, "Variable \"$\(definition.name)\" is never used.", at: definition.place)
        }
        return (operation.kind, fields)
    }

    private mutating func bind(_ definition: Document.VariableDefinition) throws(GraphQLError) {
        let name = definition.name
        guard schema.isInput(definition.type.name) else {
            throw GraphQLError(
                .validationFailed, "Unknown type \"\(definition.type.name)\".", at: definition.place)
        }
        if let value = given[name] {
            if value.isNull, definition.type.isRequired {
                throw GraphQLError(
                    .validationFailed,
                    "Variable \"$\(name)\" of non-null type \"\(definition.type)\" must not be null.",
                    at: definition.place)
            }
            do throws(GraphQLError) { variables[name] = try coerced(value, to: definition.type) } catch {
                throw GraphQLError(
                    .validationFailed, "Variable \"$\(name)\" got invalid value \(value.text); \(error.message)",
                    at: definition.place)
            }
        } else if let literal = definition.defaultValue {
            variables[name] = try resolved(literal)
        } else if definition.type.isRequired {
            throw GraphQLError(
                .validationFailed, "Variable \"$\(name)\" of required type \"\(definition.type)\" was not provided.",
                at: definition.place)
        }
    }

    private mutating func fields(
        of selections: [Document.Selection], on type: String
    ) throws(GraphQLError) -> [Selected] {
        var result: [Selected] = []
        var positions: [String: Int] = [:]
        try collect(selections, on: type, into: &result, &positions)
        return result
    }

    private mutating func collect(
        _ selections: [Document.Selection], on type: String, into result: inout [Selected],
        _ positions: inout [String: Int]
    ) throws(GraphQLError) {
        for selection in selections {
            switch selection {
            case .field(let field):
                let isWanted = try isIncluded(field.directives)
                let selected = try select(field, on: type)
                guard isWanted else { continue }
                guard let position = positions[selected.key] else {
                    positions[selected.key] = result.count
                    result.append(selected)
                    continue
                }
                let earlier = result[position]
                guard earlier.name == selected.name, earlier.arguments == selected.arguments else {
                    throw GraphQLError(
                        .validationFailed,
                        "Fields \"\(selected.key)\" conflict because they ask for different things. "
                            + "Use different aliases on the fields to fetch both if this was intentional.",
                        at: field.place)
                }
                result[position].children = merged(earlier.children, selected.children)
            case .inline(let condition, let directives, let selections):
                let isWanted = try isIncluded(directives)
                try spread(selections, condition: condition ?? type, on: type, isWanted: isWanted, &result, &positions)
            case .spread(let name, let directives, let place):
                guard let fragment = document.fragments[name] else {
                    throw GraphQLError(.validationFailed, "Unknown fragment \"\(name)\".", at: place)
                }
                guard openFragments.insert(name).inserted else {
                    throw GraphQLError(
                        .validationFailed, "Cannot spread fragment \"\(name)\" within itself.", at: place)
                }
                defer { openFragments.remove(name) }
                let isWanted = try isIncluded(directives)
                try spread(
                    fragment.selections, condition: fragment.type, on: type, isWanted: isWanted, &result, &positions)
            }
        }
    }

    private mutating func spread(
        _ selections: [Document.Selection], condition: String, on type: String, isWanted: Bool,
        _ result: inout [Selected], _ positions: inout [String: Int]
    ) throws(GraphQLError) {
        guard schema.types[condition] != nil || schema.unions[condition] != nil else {
            throw GraphQLError(.validationFailed, "Unknown type \"\(condition)\".")
        }
        if isWanted, condition == type {
            try collect(selections, on: type, into: &result, &positions)
        } else {
            // Checked like the rest, and not answered.
            _ = try fields(of: selections, on: condition)
        }
    }

    private mutating func select(_ field: Document.Field, on type: String) throws(GraphQLError) -> Selected {
        if field.name == "__typename" {
            return Selected(key: field.responseKey, name: field.name, arguments: .object([]), children: [])
        }
        guard let definition = schema.types[type]?[field.name] else {
            throw GraphQLError(
                .validationFailed, "Cannot query field \"\(field.name)\" on type \"\(type)\".", at: field.place)
        }
        let inner = definition.type.name
        if schema.isLeaf(inner), !field.selections.isEmpty {
            throw GraphQLError(
                .validationFailed,
                "Field \"\(field.name)\" must not have a selection since type \"\(definition.type)\" has no subfields.",
                at: field.place)
        }
        if !schema.isLeaf(inner), field.selections.isEmpty {
            throw GraphQLError(
                .validationFailed,
                "Field \"\(field.name)\" of type \"\(definition.type)\" must have a selection of subfields. "
                    + "Did you mean \"\(field.name) { ... }\"?", at: field.place)
        }
        let arguments = try resolve(
            field.arguments, by: definition.arguments, owner: "field \"\(type).\(field.name)\"", at: field.place)
        return Selected(
            key: field.responseKey, name: field.name, arguments: arguments,
            children: try fields(of: field.selections, on: inner))
    }

    private mutating func resolve(
        _ arguments: [Document.Argument], by definitions: [String: Schema.Argument], owner: String, at place: Place?
    ) throws(GraphQLError) -> JSONValue {
        var members: [JSONValue.Member] = []
        for argument in arguments {
            guard let definition = definitions[argument.name] else {
                throw GraphQLError(.validationFailed, "Unknown argument \"\(argument.name)\" on \(owner).", at: place)
            }
            if case .variable(let name) = argument.value, variables[name] == nil,
                operation.variables.contains(where: { $0.name == name })
            {
                used.insert(name)
                if definition.isRequired { throw missing(argument.name, definition, owner, place) }
                continue
            }
            do throws(GraphQLError) {
                members.append(.init(argument.name, try coerced(try resolved(argument.value), to: definition.type)))
            } catch {
                throw GraphQLError(error.code, error.message, at: error.place ?? place)
            }
        }
        for (name, definition) in definitions where definition.isRequired {
            if !arguments.contains(where: { $0.name == name }) { throw missing(name, definition, owner, place) }
        }
        return .object(members)
    }

    private func missing(
        _ name: String, _ definition: Schema.Argument, _ owner: String, _ place: Place?
    ) -> GraphQLError {
        GraphQLError(
            .validationFailed,
            "Argument \"\(name)\" of type \"\(definition.type)\" is required on \(owner), but it was not provided.",
            at: place)
    }

    /// A literal with its variables put in.
    private mutating func resolved(_ literal: Literal) throws(GraphQLError) -> JSONValue {
        switch literal {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .number(let text): return .number(text)
        case .string(let text), .enumeration(let text): return .string(text)
        case .list(let elements):
            var list: [JSONValue] = []
            list.reserveCapacity(elements.count)
            for element in elements { list.append(try resolved(element)) }
            return .list(list)
        case .object(let members):
            var object: [JSONValue.Member] = []
            for member in members { object.append(.init(member.name, try resolved(member.value))) }
            return .object(object)
        case .variable(let name):
            guard operation.variables.contains(where: { $0.name == name }) else {
                throw GraphQLError(.validationFailed, "Variable \"$\(name)\" is not defined.")
            }
            used.insert(name)
            return variables[name] ?? .null
        }
    }

    private func coerced(_ value: JSONValue, to type: TypeReference) throws(GraphQLError) -> JSONValue {
        func refused(_ why: String) -> GraphQLError { GraphQLError(.validationFailed, why) }
        switch type {
        case .nonNull(let inner):
            if value.isNull { throw refused("Expected value of type \"\(type)\", found null.") }
            return try coerced(value, to: inner)
        case _ where value.isNull: return .null
        case .list(let element):
            guard case .list(let values) = value else { return .list([try coerced(value, to: element)]) }
            var list: [JSONValue] = []
            list.reserveCapacity(values.count)
            for value in values { list.append(try coerced(value, to: element)) }
            return .list(list)
        case .named(let name):
            if let members = schema.inputs[name] { return try coerced(value, toInput: name, members) }
            switch (name, value) {
            case ("ID", .number(let text)): return .string(text)
            case ("ID", .string), ("String", .string), ("Boolean", .bool), ("Float", .number): return value
            case ("Int", .number(let text)):
                guard let number = Int(text), Int(Int32.min)...Int(Int32.max) ~= number else {
                    throw refused("Int cannot represent non 32-bit signed integer value: \(text)")
                }
                return value
            case ("ID", _), ("String", _), ("Boolean", _), ("Float", _), ("Int", _):
                throw refused("\(name) cannot represent the value \(value.text)")
            default: return value
            }
        }
    }

    private func coerced(
        _ value: JSONValue, toInput name: String, _ definitions: [String: Schema.Argument]
    ) throws(GraphQLError) -> JSONValue {
        guard case .object(let members) = value else {
            throw GraphQLError(.validationFailed, "Expected type \"\(name)\" to be an object.")
        }
        var object: [JSONValue.Member] = []
        for member in members {
            guard let definition = definitions[member.key] else {
                throw GraphQLError(
                    .validationFailed, "Field \"\(member.key)\" is not defined by type \"\(name)\".")
            }
            object.append(.init(member.key, try coerced(member.value, to: definition.type)))
        }
        for (field, definition) in definitions where definition.isRequired && value[field] == nil {
            throw GraphQLError(
                .validationFailed,
                "Field \"\(name).\(field)\" of required type \"\(definition.type)\" was not provided.")
        }
        return .object(object)
    }

    private mutating func isIncluded(_ directives: [Document.Directive]) throws(GraphQLError) -> Bool {
        var isIncluded = true
        for directive in directives {
            guard directive.name == "include" || directive.name == "skip" else {
                throw GraphQLError(.validationFailed, "Unknown directive \"@\(directive.name)\".")
            }
            guard let argument = directive.arguments.first(where: { $0.name == "if" }),
                let flag = try resolved(argument.value).bool
            else { throw GraphQLError(.validationFailed, "Directive \"@\(directive.name)\" needs a Boolean \"if\".") }
            if flag == (directive.name == "skip") { isIncluded = false }
        }
        return isIncluded
    }

    private func merged(_ first: [Selected], _ second: [Selected]) -> [Selected] {
        var result = first
        for selected in second {
            if let index = result.firstIndex(where: { $0.key == selected.key }) {
                result[index].children = merged(result[index].children, selected.children)
            } else {
                result.append(selected)
            }
        }
        return result
    }
}

extension Planner {
    /// Checks and resolves a request in one call.
    package static func plan(
        _ text: String, operationName: String? = nil, variables: JSONValue = .null
    ) throws(GraphQLError) -> [Selected] {
        var planner = try Planner(
            schema: .labelbox, document: Parser.document(text), operationName: operationName, variables: variables)
        return try planner.plan().fields
    }
}
