import Glibc
internal import Locking

/// Answers requests: the part between HTTP and the world.
final class Service: Sendable {
    /// What is shared by all connections besides the world.
    struct Control: Sendable {
        var faults: Faults
        var window: RateWindow
        var journal: Journal
    }

    let settings: Simulator.Settings
    let world: Locked<World>
    let control: Locked<Control>
    let folder: String
    /// Has a task's work done after a while.
    let schedule: @Sendable (_ task: Int, _ delay: Duration) -> Void

    init(
        settings: Simulator.Settings, folder: String, world: Locked<World>,
        schedule: @escaping @Sendable (_ task: Int, _ delay: Duration) -> Void
    ) {
        self.settings = settings
        self.folder = folder
        self.world = world
        self.schedule = schedule
        control = Locked(
            Control(
                faults: Faults(rules: settings.faults, seed: settings.faultSeed),
                window: RateWindow(limit: settings.requestsPerMinute), journal: Journal(length: settings.logLength)))
    }

    /// A whole request to `/graphql`.
    struct Call {
        var body: [UInt8] = []
        var form: FormReceiver?
        /// Why the form could not be read.
        var formError: String?
        /// Decided when the request began: a wrong key or an empty budget.
        var refusal: Response?
    }

    struct Outcome {
        let ending: Ending
        let operations: [String]
        let fault: Faults.Kind?
    }

    /// Checks key and budget as soon as a request begins.
    func refusal(authorization: String?, now: Moment) -> Response? {
        guard authorization == "Bearer \(settings.apiKey)" else {
            return .error(401, GraphQLError(.authentication, "Invalid API key"))
        }
        let wait = control.withLock { control in
            let wait = control.window.admit(at: now)
            if wait != nil { control.journal.refused() }
            return wait
        }
        return wait.map { .tooManyRequests(retryAfter: retryAfter($0)) }
    }

    private func retryAfter(_ wait: Duration) -> Int? {
        settings.sendsRetryAfter ? max(1, Int((wait.milliseconds + 999) / 1000)) : nil
    }

    /// Carries a call out.
    func answer(_ call: consuming Call, now: Moment) -> Outcome {
        let form = call.form
        let files = form?.files ?? []
        func discardFiles() { for (_, file) in files { if let path = file.path { unlink(path) } } }

        let request: GraphQLRequest
        var plan: Result<[Selected], GraphQLError>
        do throws(GraphQLError) {
            if let error = call.formError { throw GraphQLError(.malformed, error) }
            request = try GraphQLRequest(call.body, form: form)
            plan = Result { () throws(GraphQLError) in try request.plan() }
        } catch {
            discardFiles()
            return Outcome(
                ending: .answer(call.refusal ?? .error(400, error), delay: .zero), operations: [], fault: nil)
        }
        let fields = (try? plan.get()) ?? []
        let operations = fields.map(\.name)
        note(fields, files)
        if let refusal = call.refusal {
            discardFiles()
            return Outcome(ending: .answer(refusal, delay: .zero), operations: operations, fault: nil)
        }

        let fault = control.withLock { $0.faults.draw(for: operations) }
        if let fault, !fault.kind.isCarriedOut {
            discardFiles()
            let response = fault.kind.response(retryAfter: retryAfter(.seconds(1)), carriedOut: nil)
            let ending = response.map { Ending.answer($0, delay: .zero) } ?? .reset
            return Outcome(ending: ending, operations: operations, fault: fault.kind)
        }
        if let limit = settings.filesLimit, files.count > limit {
            discardFiles()
            return Outcome(ending: .answer(.tooLarge(), delay: .zero), operations: operations, fault: fault?.kind)
        }
        if let limit = settings.complexityLimit, fields.count > limit {
            plan = .failure(GraphQLError(.validationFailed, "Query complexity limit exceeded"))
        }
        let response: Response
        switch plan {
        case .failure(let error):
            discardFiles()
            response = .error(400, error)
        case .success(let fields):
            let context = RequestContext(now: now, uploads: request.uploads)
            let root = request.isMutation ? "Mutation" : "Query"
            let (answer, firstTask, due) = world.withLock { world in
                let before = world.tasks.count
                let answer = world.answer(fields, root: root, context)
                return (answer, before, world.tasks[before...].map(\.due))
            }
            for (index, due) in due.enumerated() { schedule(firstTask + index, due - now) }
            response = .json(200, answer.body)
        }
        guard let fault else {
            return Outcome(ending: .answer(response, delay: .zero), operations: operations, fault: nil)
        }
        let altered = fault.kind.response(retryAfter: nil, carriedOut: response)
        let delay = fault.kind == .slow ? fault.delay : .zero
        return Outcome(
            ending: altered.map { .answer($0, delay: delay) } ?? .reset, operations: operations, fault: fault.kind)
    }

    /// Counts what arrived, before anything decides on its fate.
    private func note(_ fields: [Selected], _ files: [(part: String, file: StoredFile)]) {
        control.withLock { control in
            for (_, file) in files { control.journal.uploaded(file.bytes) }
            for field in fields {
                let address = field["data"]?["manifestUri"]?.string ?? field["data"]?["jsonFileUrl"]?.string
                if let address { control.journal.submitted(address) }
            }
        }
    }
}

/// A GraphQL request, from JSON or from a form.
struct GraphQLRequest {
    let query: String
    let operationName: String?
    let variables: JSONValue
    private(set) var uploads: [String: StoredFile] = [:]
    let document: Document?

    init(_ body: [UInt8], form: FormReceiver?) throws(GraphQLError) {
        let json: JSONValue
        var variables: JSONValue
        do throws(JSONError) {
            json = try JSONValue(parsing: form?.operations ?? body)
            variables = json["variables"] ?? .null
            if let form {
                let map = try JSONValue(parsing: form.map)
                for (part, file) in form.files {
                    let mark = "upload:\(file.id)"
                    uploads[mark] = file
                    for path in map[part]?.list ?? [] {
                        let steps = (path.string ?? "").split(separator: ".").map(String.init)
                        guard steps.first == "variables" else { continue }
                        variables.set(.string(mark), at: steps.dropFirst())
                    }
                }
            }
        } catch {
            throw GraphQLError(.malformed, "The request's body is \(error)")
        }
        guard let query = json["query"]?.string else { throw GraphQLError(.malformed, "The request has no \"query\"") }
        self.query = query
        self.variables = variables
        operationName = json["operationName"]?.string
        document = try? Parser.document(query)
    }

    var isMutation: Bool {
        let operation = document?.operations.first { operationName == nil || $0.name == operationName }
        return operation?.kind == .mutation
    }

    func plan() throws(GraphQLError) -> [Selected] {
        let document = if let document { document } else { try Parser.document(query) }
        var planner = try Planner(
            schema: .labelbox, document: document, operationName: operationName, variables: variables)
        return try planner.plan().fields
    }
}

extension JSONValue {
    /// Puts a value at a path of member names and indices.
    fileprivate mutating func set(_ value: JSONValue, at path: ArraySlice<String>) {
        guard let step = path.first else {
            self = value
            return
        }
        switch self {
        case .object(var members):
            if let index = members.firstIndex(where: { $0.key == step }) {
                members[index].value.set(value, at: path.dropFirst())
            } else {
                members.append(.init(step, value))
            }
            self = .object(members)
        case .list(var elements):
            guard let index = Int(step), elements.indices.contains(index) else { return }
            elements[index].set(value, at: path.dropFirst())
            self = .list(elements)
        default: self = .object([.init(step, value)])
        }
    }
}
