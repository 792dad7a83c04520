import LabelboxSimulator
import Testing

@Suite("GraphQL documents")
struct GraphQLParserTests {
    @Test(
        "any wording of a query means the same",
        arguments: [
            "{ user { id } }", "query { user { id } }", "query Whatever { user { id } }",
            "query GetUserPyApi{user{id}}",
            "# a comment\n{user # another\n{,,id,,}}", "\u{FEFF}{ user { id } }", "{ user { ...on User { id } } }",
            "query { ...F } fragment F on Query { user { id } }", "{ user { id id } }",
            "query($yes: Boolean!) { user { id email @skip(if: $yes) } }",
            "query($yes: Boolean = true) { user { id @include(if: $yes) name @include(if: false) } }",
        ])
    func sameMeaning(query: String) throws {
        let fields = try Planner.plan(query, variables: ["yes": true])
        #expect(fields.map(\.key) == ["user"])
        #expect(fields.first?.children.map(\.key) == ["id"])
    }

    @Test("aliases, arguments and several fields are kept apart")
    func aliases() throws {
        let fields = try Planner.plan(
            "query($i: ID!) { a: dataset(where: {id: $i}) { id } b: dataset(where: {id: \"x\"}) { n: name } __typename }",
            variables: ["i": "y"])
        #expect(fields.map(\.key) == ["a", "b", "__typename"])
        #expect(fields[0].arguments == ["where": ["id": "y"]])
        #expect(fields[1].arguments == ["where": ["id": "x"]])
        #expect(fields[1].children.map(\.key) == ["n"])
        #expect(fields[1].children.map(\.name) == ["name"])
    }

    @Test(
        "literals are read as they are written",
        arguments: [
            (#""plain""#, "plain"), (#""a\"b\\c\/d\u00e9\n""#, "a\"b\\c/d\u{E9}\n"), (#""\ud83d\ude00""#, "\u{1F600}"),
            (#""""block "quoted" text""""#, "block \"quoted\" text"),
            ("\"\"\"\n    two\n      lines\n  \"\"\"", "two\n  lines"),
            ("\"\"", ""), ("\"žluťoučký\"", "žluťoučký"),
        ])
    func strings(literal: String, value: String) throws {
        let fields = try Planner.plan("mutation { createDataset(data: {name: \(literal)}) { id } }")
        #expect(fields.first?.arguments == ["data": ["name": .string(value)]])
    }

    @Test(
        "text that is no GraphQL is refused as such",
        arguments: [
            "", "{", "{ }", "}", "{ user { id }", "query { user { id } } }", "query ( { user { id } }",
            "{ user(: 1) { id } }",
            "{ user(a: ) { id } }", "{ user { id: } }", "{ \"user\" }", "hello { user { id } }", "{ user { id } ... }",
            "{ dataset(where: {id: \"x}) { id } }", "{ user { id ? } }", "query($a ID) { user { id } }",
            "{ user . id }",
            "{ a(x: 01) { id } }", "{ a(x: 1.) { id } }",
        ])
    func malformed(query: String) {
        #expect(codeOf(query) == .parseFailed)
    }

    @Test("a document that is nested without end is refused, not survived by luck")
    func depth() {
        #expect(codeOf(String(repeating: "{ a ", count: 100_000)) == .parseFailed)
        #expect(codeOf("{ a(x: " + String(repeating: "[", count: 100_000)) == .parseFailed)
    }

    @Test(
        "what the schema does not have is a validation error",
        arguments: [
            "{ users { id } }", "{ user { nope } }", "{ user }", "{ user { id { x } } }", "{ dataset { id } }",
            "{ dataset(where: {id: \"x\"}, more: 1) { id } }", "{ dataset(where: {ids: \"x\"}) { id } }",
            "{ dataset(where: {id: $missing}) { id } }", "query($a: ID!) { user { id } }",
            "query($a: Nope) { user { id } }",
            "query($a: ID) { user { id } }", "{ ...F }", "query { ...F } fragment F on Query { ...F }",
            "{ user { ... on Nope { id } } }", "{ a: user { id } a: organization { id } }", "{ user { id @nope } }",
            "query A { user { id } } query B { user { id } }", "subscription { user { id } }",
            "mutation { upsertDataRows(data: {}) { id } }",
            "mutation { uploadFile(file: \"x\", contentLength: 2147483648) { url } }",
            "mutation { uploadFile(file: \"x\", contentLength: \"5\") { url } }",
        ])
    func invalid(query: String) {
        #expect(codeOf(query) == .validationFailed)
    }

    @Test(
        "variables are checked against their types",
        arguments: [
            ("ID!", "\"a\"", true), ("ID!", "7", true), ("ID!", "null", false), ("ID!", "{}", false),
            ("ID", "null", true),
            ("String!", "7", false), ("[ID!]", "[\"a\", null]", false),
        ])
    func variableTypes(type: String, value: String, isTaken: Bool) throws {
        let query = "query($v: \(type)) { dataRowsForGlobalKeys(where: {ids: [$v]}) { jobId } }"
        let list = "query($v: \(type)) { dataRowsForGlobalKeys(where: {ids: $v}) { jobId } }"
        let variables: JSONValue = ["v": try JSONValue(parsing: value.utf8)]
        let nullIntoList = value == "null"
        let code = codeOf(type.hasPrefix("[") ? list : query, variables)
        #expect(code == (isTaken && !nullIntoList ? nil : .validationFailed))
    }

    @Test("an error says where it is")
    func places() {
        #expect(
            throws: GraphQLError(
                .validationFailed, "Cannot query field \"nope\" on type \"User\".", at: Place(line: 2, column: 10))
        ) { try Planner.plan("{\n  user { nope } }") }
    }

    @Test("ten thousand ids in the document are read")
    func manyIDs() throws {
        let ids = (0..<10_000).map { "\"id\($0)\"" }.joined(separator: ", ")
        let fields = try Planner.plan("mutation { deleteDataRows(where: {dataRowIds: [\(ids)]}) { id } }")
        #expect(fields.first?.arguments["where"]?["dataRowIds"]?.list?.count == 10_000)
    }

    private func codeOf(_ query: String, _ variables: JSONValue = .null) -> GraphQLError.Code? {
        do throws(GraphQLError) {
            _ = try Planner.plan(query, variables: variables)
            return nil
        } catch { return error.code }
    }
}
