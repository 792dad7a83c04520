public import Transport

/// Labelbox's API, as far as imports need it.
///
/// A call is one operation. It goes through the gate, which may make several attempts of it; each attempt is one HTTP
/// request, and its error says what became of it.
public struct LabelboxClient: Sendable {
    /// The limits that requests run under.
    public struct Settings: Sendable {
        public var connectTimeout: Duration
        /// How long no byte may move; there is no limit on the length of a healthy transfer.
        public var stallTimeout: Duration
        /// The longest answer of the API, in bytes: a page of 5,000 rows with 6 KB each.
        public var answerLimit: Int
        /// The longest result file of an older import, in bytes; it is never held as a whole.
        public var resultFileLimit: Int

        /// Creates settings.
        public init(
            connectTimeout: Duration = .seconds(10), stallTimeout: Duration = .seconds(60),
            answerLimit: Int = 32 << 20, resultFileLimit: Int = 64 << 30
        ) {
            self.connectTimeout = connectTimeout
            self.stallTimeout = stallTimeout
            self.answerLimit = answerLimit
            self.resultFileLimit = resultFileLimit
        }
    }

    private let endpoint: String
    private let credentials: any CredentialSource
    private let transport: any HTTPTransport
    private let gate: any RequestGate
    private let currentSettings: @Sendable () -> Settings
    private var settings: Settings { currentSettings() }
    private let unixTime: @Sendable () -> Int64
    private let witness: RequestWitness?

    /// Creates a client.
    ///
    /// - Parameters:
    ///   - endpoint: such as `https://api.labelbox.com/graphql`.
    ///   - credentials: asked for the key before each request.
    ///   - transport: carries the requests.
    ///   - gate: decides when, and how often.
    ///   - settings: the limits of each request, asked for before each.
    ///   - unixTime: seconds since 1970; only for a `Retry-After` that is a date in an answer without one.
    ///   - witness: hears of each attempt; nil where nobody counts.
    public init(
        endpoint: String, credentials: any CredentialSource, transport: any HTTPTransport, gate: any RequestGate,
        settings: @escaping @autoclosure @Sendable () -> Settings = Settings(),
        unixTime: @escaping @Sendable () -> Int64, witness: RequestWitness? = nil
    ) {
        self.endpoint = endpoint
        self.credentials = credentials
        self.transport = transport
        self.gate = gate
        currentSettings = settings
        self.unixTime = unixTime
        self.witness = witness
    }

    /// Runs one operation through the gate.
    func perform<Operation: GraphQLOperation>(_ operation: Operation) async throws(LabelboxError) -> Operation.Answer {
        try await gate.run(operation.kind) { () async throws(LabelboxError) -> Operation.Answer in
            guard let witness else { return try await attempt(operation) }
            return try await witness.watch(operation.name) { () async throws(LabelboxError) -> Operation.Answer in
                try await attempt(operation)
            }
        }
    }

    /// Fetches a file that the service handed out the address of: without the key, which is not that host's to know.
    ///
    /// - Parameters:
    ///   - url: the address.
    ///   - operation: the name for errors.
    ///   - reader: makes what reads the file, for each attempt anew.
    /// - Returns: what the reader made of it.
    /// - Throws: ``LabelboxError``.
    func fetch<Reader: FileReading>(
        _ url: String, operation: String, by reader: @escaping @Sendable () -> Reader
    ) async throws(LabelboxError) -> Reader.Answer {
        try await gate.run(.read) { () async throws(LabelboxError) -> Reader.Answer in
            guard let witness else { return try await attempt(url, operation: operation, by: reader()) }
            return try await witness.watch(operation) { () async throws(LabelboxError) -> Reader.Answer in
                try await attempt(url, operation: operation, by: reader())
            }
        }
    }

    private func attempt<Reader: FileReading>(
        _ url: String, operation: String, by reader: Reader
    ) async throws(LabelboxError) -> Reader.Answer {
        let request = HTTPRequest(
            .get, url: url, responseLimit: settings.resultFileLimit, connectTimeout: settings.connectTimeout,
            stallTimeout: settings.stallTimeout, receive: { reader.take($0) })
        var response = try await send(request, operation: operation)
        // It was not told the key, but it may be the host that was told before.
        if !response.body.isEmpty, let key = try? credentials.apiKey() {
            response.body = Redaction.hiding(key, in: response.body)
        }
        return try FileAnswer.read(response, operation: operation, by: reader)
    }

    private func attempt<Operation: GraphQLOperation>(
        _ operation: Operation
    ) async throws(LabelboxError) -> Operation.Answer {
        let key = try key(for: operation.name)
        do throws(LabelboxError) {
            var response = try await send(request(operation, key: key), operation: operation.name)
            // Before anything is quoted or cut off: a server may echo the key in an error, or in the words about a row.
            response.body = Redaction.hiding(key, in: response.body)
            switch Classification.judge(
                operation: operation.name, response: response, now: unixTime(),
                takesPartialAnswers: operation.takesPartialAnswers, packsLists: operation.packsLists)
            {
            case .failure(let error): throw error
            case .answer(let data, let errors):
                do throws(BadAnswer) {
                    return try operation.answer(from: data, errors: errors)
                } catch {
                    throw LabelboxError(
                        error.kind, outcome: error.kind == .badAnswer ? .unknown : .failed, operation: operation.name,
                        httpStatus: response.status, message: error.message, excerpt: Excerpt.of(response.body))
                }
            }
        } catch {
            throw error.hiding(key)
        }
    }

    private func send(_ request: HTTPRequest, operation: String) async throws(LabelboxError) -> HTTPResponse {
        do throws(TransportError) {
            guard let witness else { return try await transport.send(request) }
            return try await witness.send(request, over: transport)
        } catch {
            throw Classification.judge(operation: operation, error: error)
        }
    }

    private func key(for operation: String) throws(LabelboxError) -> String {
        let message: String
        do {
            let key = try credentials.apiKey()
            if !key.isEmpty { return key }
            message = "the API key is empty"
        } catch {
            message = "there is no API key: \(error)"
        }
        throw LabelboxError(.authentication, outcome: .notProcessed, operation: operation, message: message)
    }

    private func request(_ operation: some GraphQLOperation, key: String) -> HTTPRequest {
        var headers = [HTTPHeader("Authorization", "Bearer \(key)"), HTTPHeader("Accept", "application/json")]
        let body: HTTPRequest.Body
        if !operation.files.isEmpty {
            body = .multipart(Multipart.parts(of: operation))
        } else {
            headers.append(HTTPHeader("Content-Type", "application/json"))
            var json: [UInt8] = []
            JSONValue.object([
                .init("query", .string(operation.document)), .init("variables", operation.variables),
            ]).write(to: &json)
            body = .bytes(json)
        }
        return HTTPRequest(
            .post, url: endpoint, headers: headers, body: body,
            // libcurl sends a POST again by itself on a kept connection that closed: not one that starts an import.
            connection: operation.kind == .submit ? .fresh : .pooled,
            version: operation.kind == .read ? .negotiated : .http1, responseLimit: settings.answerLimit,
            connectTimeout: settings.connectTimeout, stallTimeout: settings.stallTimeout,
            progress: operation.files.count == 1 ? operation.files[0].progress : nil)
    }
}
