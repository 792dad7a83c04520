public import Files
public import SystemPackage

/// Why something could not be done with a dropped file.
public struct IntakeError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable {
        /// The file is gone; somebody took it back or another host was faster.
        case vanished
        /// The file is not what it was when it was found ready, or is still being written. It settles again.
        case changed
        /// The place to move it to is taken by something else.
        case destinationTaken
        /// Its path leads out of the drop folder, or is no path of a file in it.
        case outside
        /// It is no regular file.
        case notRegular
        /// The drop folder, or the lock in it, is not ours to use.
        case unavailable
        /// The system refused; `cause` says how.
        case failed
    }

    public let code: Code
    /// The file, or the folder, that it is about.
    public let path: FilePath
    /// A sentence for people.
    public let reason: String
    public let cause: FileError?

    init(_ code: Code, _ path: FilePath, _ reason: String, cause: FileError? = nil) {
        self.code = code
        self.path = path
        self.reason = reason
        self.cause = cause
    }

    init(_ cause: FileError) {
        self.init(.failed, cause.path, cause.description, cause: cause)
    }

    init(_ refusal: BeneathOpener.Refusal, at path: FilePath) {
        switch refusal {
        case .missing: self.init(.vanished, path, "It is gone.")
        case .outside: self.init(.outside, path, "It leads out of the drop folder.")
        case .notRegular(let kind): self.init(.notRegular, path, "It is a \(kind), not a regular file.")
        case .failed(let error): self.init(.failed, path, error.description, cause: error)
        }
    }

    /// Whatever went wrong with the file at `path`, in our own words.
    init(_ error: any Error, at path: FilePath) {
        switch error {
        case let error as IntakeError: self = error
        case let error as FileError: self.init(error)
        case let error as BeneathOpener.Refusal: self.init(error, at: path)
        default: self.init(.failed, path, "\(error)")
        }
    }

    public var description: String { "\(path): \(code.rawValue): \(reason)" }
}
