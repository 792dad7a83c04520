/// Why Labelbox did not do what it was asked, and what may be done about it.
public struct LabelboxError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What went wrong, as far as callers treat it differently.
    public enum Kind: Hashable, Sendable {
        /// Too many requests in this minute; the server may say for how long to pause.
        case rateLimited(retryAfter: Duration?)
        /// There is no key, or the server does not know it.
        case authentication
        /// The organization has used up what it paid for.
        case quota
        case permission
        /// The server does not have what was asked for; `resource` is the field of the query, where it is known.
        case notFound(resource: String?)
        case conflict
        case invalidQuery
        case queryTooComplex
        /// The request is too large.
        case tooLarge
        /// The answer is longer than the limit that was set for it.
        case answerTooLarge
        case serverError
        /// Something that is no answer of the API: HTML, half a JSON text, wrong types.
        case badAnswer
        /// No connection came about, so nothing was sent.
        case unreachable
        /// The connection broke, or stood still, before the answer was complete.
        case connectionLost
        /// The file that was to be sent could not be read.
        case bodySource
        case cancelled
        /// Any other refusal, in the server's words.
        case refused
    }

    /// What the server did with the request.
    public enum Outcome: String, Hashable, Sendable {
        /// It did not get it, or turned it away before doing anything: anything may be sent again.
        case notProcessed
        /// It said no, and would say no again.
        case failed
        /// It may or may not have done it.
        case unknown
    }

    public let kind: Kind
    public let outcome: Outcome
    /// Which operation, such as `uploadFile`.
    public let operation: String
    /// nil when there was no answer.
    public let httpStatus: Int?
    /// The server's own words, else the transport's, else ours.
    public let message: String
    /// The beginning of the answer, 200 bytes at most, with control characters made visible; nil when there was none.
    public let excerpt: String?

    /// Creates an error.
    public init(
        _ kind: Kind, outcome: Outcome, operation: String, httpStatus: Int? = nil, message: String,
        excerpt: String? = nil
    ) {
        self.kind = kind
        self.outcome = outcome
        self.operation = operation
        self.httpStatus = httpStatus
        self.message = message
        self.excerpt = excerpt
    }

    /// Whether the same request may be sent again.
    ///
    /// What is not may still be split, mended or asked about.
    public func isRetryable(as request: RequestKind) -> Bool {
        switch kind {
        case .cancelled, .bodySource: false
        // A page of rows would be as long again. What answers an upload with that much is not the API.
        case .answerTooLarge: request == .upload
        default:
            switch outcome {
            case .notProcessed: true
            case .failed: false
            case .unknown: request != .submit
            }
        }
    }

    /// What to do about it; begins with a verb.
    public var hint: String {
        switch kind {
        case .rateLimited: "wait; lower requests_per_minute if other programs use the same key"
        case .authentication: "put a valid API key into api_key_file and reload"
        case .quota: "raise the organization's quota with Labelbox; work waits until then"
        case .permission: "give the key's owner access to the dataset"
        case .notFound: "check the id; it must belong to the organization of the API key"
        case .conflict: "look at what exists under that name or key"
        case .invalidQuery: "report this: the server does not understand what datarowd asks"
        case .queryTooComplex: "ask for fewer things at once"
        case .tooLarge: "send less at once"
        case .answerTooLarge: "ask for a smaller page"
        case .serverError: "wait; look at status.labelbox.com if it stays"
        case .badAnswer: "check that labelbox.endpoint is the API's address and no proxy or portal answers in its place"
        case .unreachable: "check labelbox.endpoint, ca_file, the proxy and the network"
        case .connectionLost: "check the network if it stays"
        case .bodySource: "let the file alone while it is sent, and check that it can be read"
        case .cancelled: "go on: it was called off"
        case .refused: "read the server's message"
        }
    }

    /// A stable word for programs.
    public var code: String {
        switch kind {
        case .rateLimited: "rate_limited"
        case .authentication: "authentication"
        case .quota: "quota"
        case .permission: "permission"
        case .notFound: "not_found"
        case .conflict: "conflict"
        case .invalidQuery: "invalid_query"
        case .queryTooComplex: "query_too_complex"
        case .tooLarge: "too_large"
        case .answerTooLarge: "answer_too_large"
        case .serverError: "server_error"
        case .badAnswer: "bad_answer"
        case .unreachable: "unreachable"
        case .connectionLost: "connection_lost"
        case .bodySource: "file_unreadable"
        case .cancelled: "called_off"
        case .refused: "labelbox_refused"
        }
    }

    public var description: String {
        var text = operation
        if let httpStatus { text += ": HTTP \(httpStatus)" }
        text += ": \(message)"
        if let excerpt, !excerpt.isEmpty, excerpt != message {
            text += ": answer begins with \(excerpt.debugDescription)"
        }
        if outcome == .unknown { text += " (it may have been done nevertheless)" }
        return text + ": " + hint
    }

    /// The same without `secret`, should a server or proxy have echoed it.
    func hiding(_ secret: String) -> LabelboxError {
        guard !secret.isEmpty, message.contains(secret) || excerpt?.contains(secret) == true else { return self }
        return LabelboxError(
            kind, outcome: outcome, operation: operation, httpStatus: httpStatus,
            message: message.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "[key]"),
            excerpt: excerpt.map {
                $0.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "[key]")
            })
    }
}
