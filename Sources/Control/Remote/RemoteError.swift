public import LabelboxAPI

extension ControlError {
    /// What an error of Labelbox, or of the way to it, means for a command.
    ///
    /// - Parameters:
    ///   - doing: What was tried, as the command line has it: `rows list`.
    ///   - error: What came of it.
    ///   - unknownOutcome: What to do when nobody knows whether a change was made; `nil` for what changes nothing.
    public init(_ doing: String, _ error: LabelboxError, unknownOutcome: String? = nil) {
        var why = [error.httpStatus.flatMap { $0 >= 400 ? "HTTP \($0)" : nil }, error.message].compactMap(\.self)
            .joined(separator: ": ")
        if error.outcome != .unknown, let excerpt = error.excerpt, !excerpt.isEmpty, excerpt != error.message,
            case .badAnswer = error.kind
        {
            why += ": the answer begins with \(excerpt.debugDescription)"
        }
        if error.outcome == .unknown, let unknownOutcome {
            self.init(
                doing, why: "\(VisibleText.of(why)): there was no answer, so it may or may not have been done",
                hint: unknownOutcome, status: .temporary)
            return
        }
        self.init(doing, why: VisibleText.of(why), hint: Self.hint(error), status: Self.status(error))
    }

    private static func hint(_ error: LabelboxError) -> String {
        switch error.kind {
        case .authentication:
            "put a valid API key into labelbox.api_key_file, the credential labelbox-api-key or LABELBOX_API_KEY"
        case .serverError: "try again later; look at status.labelbox.com if it stays"
        case .quota: "raise the organization's quota with Labelbox"
        case .cancelled: "run it again for the rest"
        case .invalidQuery: "report this: the server does not understand what datarowctl asks"
        default: error.hint
        }
    }

    private static func status(_ error: LabelboxError) -> ExitStatus {
        switch error.kind {
        case .authentication, .permission: .noPermission
        case .notFound, .bodySource: .noInput
        case .rateLimited, .quota: .temporary
        case .unreachable, .connectionLost, .serverError: .unavailable
        case .badAnswer, .answerTooLarge: .badAnswer
        case .invalidQuery, .queryTooComplex: .software
        case .conflict, .tooLarge, .refused: .failed
        case .cancelled: .interrupted
        }
    }
}
