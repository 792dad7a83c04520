/// An HTTP answer.
struct Response {
    enum Body {
        case bytes([UInt8])
        /// Pieces, asked for one at a time as the client reads them; its length when it is known.
        case stream(length: Int?, next: () -> [UInt8]?)
    }

    var status: Int
    var contentType = "application/json; charset=utf-8"
    var headers: [(String, String)] = []
    var body: Body
    /// Whether the connection ends with this answer.
    var closes = false

    static func json(_ status: Int, _ value: JSONValue) -> Response {
        Response(status: status, body: .bytes(Array(value.text.utf8)))
    }

    static func json(_ status: Int, _ bytes: [UInt8]) -> Response { Response(status: status, body: .bytes(bytes)) }

    static func text(_ status: Int, _ text: String, type: String = "text/plain; charset=utf-8") -> Response {
        Response(status: status, contentType: type, body: .bytes(Array(text.utf8)))
    }

    static func error(_ status: Int, _ error: GraphQLError) -> Response {
        json(status, .object([.init("errors", .list([error.json])), .init("data", .null)]))
    }

    static func tooManyRequests(retryAfter: Int?) -> Response {
        var response = json(
            429,
            ["message": "You have exceeded the allowed number of API requests per minute. Please try again later."])
        if let retryAfter { response.headers.append(("Retry-After", String(retryAfter))) }
        return response
    }

    static func tooLarge() -> Response {
        text(413, "<html>\n<head><title>413 Request Entity Too Large</title></head>\n</html>\n", type: "text/html")
    }
}

/// What happens at the end of a request.
enum Ending {
    case answer(Response, delay: Duration)
    /// The connection is reset instead of an answer.
    case reset
}

extension Faults.Kind {
    /// The answer that takes the place of the right one; nil for a reset.
    func response(retryAfter: Int?, carriedOut: Response?) -> Response? {
        func exception(_ status: Int, _ message: String) -> Response {
            let exception: JSONValue = ["status": JSONValue(status)]
            let extensions: JSONValue = ["code": "INTERNAL_SERVER_ERROR", "exception": exception]
            return .json(200, ["errors": [["message": .string(message), "extensions": extensions]], "data": .null])
        }
        func page(_ title: String) -> String {
            "<html>\n<head><title>\(title)</title></head>\n<body><center><h1>\(title)</h1></center></body>\n</html>\n"
        }
        switch self {
        case .reset, .lost: return nil
        case .tooManyRequests: return .tooManyRequests(retryAfter: retryAfter)
        case .internalError: return .json(500, ["message": "Internal server error"])
        case .badGateway, .lostBadGateway: return .text(502, page("502 Bad Gateway"), type: "text/html")
        case .unavailable:
            return .text(
                503, "upstream connect error or disconnect/reset before headers. reset reason: connection termination")
        case .unknownError: return .text(520, page("520: Web server is returning an unknown error"), type: "text/html")
        case .tooLarge: return .tooLarge()
        case .html: return .text(200, page("Please wait"), type: "text/html")
        case .graphQL502: return exception(502, "Bad Gateway")
        case .quota: return exception(426, "You have reached the limit of your plan")
        case .unauthorized: return .error(401, GraphQLError(.authentication, "Invalid API key"))
        case .complexity: return .error(400, GraphQLError(.validationFailed, "Query complexity limit exceeded"))
        case .notAccepted:
            let result: JSONValue = [
                "taskId": .null, "accepted": false, "errorMessage": "The import file is not accepted",
            ]
            return .json(200, ["data": ["appendRowsToDataset": result]])
        case .slow: return carriedOut
        case .truncated:
            guard var response = carriedOut, case .bytes(let bytes) = response.body else { return carriedOut }
            response.body = .bytes(Array(bytes.prefix(bytes.count / 2)))
            return response
        }
    }
}
