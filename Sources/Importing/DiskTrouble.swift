internal import Files
internal import Intake
internal import SystemPackage

/// Tells a disk that is full or takes no writes from what is wrong with one import: all others fare the same until it is mended.
enum DiskTrouble {
    /// How soon it is tried again: looking costs little, and space comes back at any moment.
    static let wait: Duration = .seconds(3)

    static func isOne(_ error: any Error) -> Bool {
        switch error {
        case let error as FileError: error.isTroubleOfTheDisk
        case let error as IntakeError: error.cause?.isTroubleOfTheDisk == true
        case let error as Errno: FileError("", FilePath(), error).isTroubleOfTheDisk
        default: false
        }
    }
}
