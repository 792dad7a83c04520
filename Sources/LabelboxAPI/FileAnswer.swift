internal import Transport

/// Reads a file that is fetched from where the service keeps such files, as it comes.
protocol FileReading: Sendable {
    associatedtype Answer: Sendable

    /// Takes the next bytes; false when they cannot be those of such a file.
    func take(_ bytes: UnsafeRawBufferPointer) -> Bool
    /// What was in the file, now that all of it has come.
    func finish() throws(BadAnswer) -> Answer
}

/// What the answer to the request for a file means.
enum FileAnswer {
    static func read<Reader: FileReading>(
        _ response: HTTPResponse, operation: String, by reader: Reader
    ) throws(LabelboxError) -> Reader.Answer {
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
        // A transport may keep the body all the same.
        if !response.body.isEmpty { _ = response.body.withUnsafeBytes(reader.take) }
        do throws(BadAnswer) {
            return try reader.finish()
        } catch let bad {
            throw error(bad.kind, .unknown, bad.message)
        }
    }
}
