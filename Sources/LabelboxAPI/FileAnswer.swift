internal import Transport

/// Reads a JSON file that was fetched from where the service keeps such files.
enum FileAnswer {
    static func read<Answer>(
        _ response: HTTPResponse, operation: String, read: (JSONValue) throws(BadAnswer) -> Answer
    ) throws(LabelboxError) -> Answer {
        func error(
            _ kind: LabelboxError.Kind, _ outcome: LabelboxError.Outcome, _ message: String
        ) -> LabelboxError {
            LabelboxError(
                kind, outcome: outcome, operation: operation, httpStatus: response.status, message: message,
                excerpt: Excerpt.of(response.body))
        }
        switch response.status {
        case 200: break
        case 404, 410: throw error(.notFound(resource: "file"), .failed, "the file is gone")
        case 401, 403: throw error(.permission, .failed, "the file may not be read: its address may have expired")
        case 429: throw error(.rateLimited(retryAfter: nil), .notProcessed, "the file's host wants a pause")
        case 500...: throw error(.serverError, .unknown, "HTTP status \(response.status)")
        default: throw error(.badAnswer, .failed, "HTTP status \(response.status)")
        }
        let value: JSONValue
        do throws(JSONParser.Failure) {
            value = try JSONParser.parse(response.body)
        } catch let failure {
            throw error(.badAnswer, .unknown, "the file is not JSON: \(failure.description) at byte \(failure.offset)")
        }
        do throws(BadAnswer) {
            return try read(value)
        } catch let bad {
            throw error(bad.kind, .unknown, bad.message)
        }
    }
}
