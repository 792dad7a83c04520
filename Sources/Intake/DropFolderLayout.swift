internal import Files
package import FoundationEssentials
public import SystemPackage

/// Where a watch keeps its own things.
public struct DropFolderLayout: Hashable, Sendable {
    /// The folder inside a drop folder that belongs to the daemon.
    public static let ownFolder: FilePath.Component = ".datarowd"

    private let settings: DropFolderSettings

    public init(_ settings: DropFolderSettings) { self.settings = settings }

    /// The daemon's folder in the drop folder.
    public var own: FilePath { settings.path.appending(Self.ownFolder) }
    /// Claimed manifests, on the drop folder's file system so that a rename takes them.
    public var claimed: FilePath { own.appending("claimed") }
    public var lock: FilePath { own.appending("lock") }

    /// Claimed copies, where the drop folder must be left as it is.
    public var copied: FilePath { settings.stateDirectory.appending("claimed").appending(settings.name) }
    /// The lock of a drop folder that cannot be written to.
    public var stateLock: FilePath { settings.stateDirectory.appending("locks").appending(settings.name + ".lock") }

    public var failed: FilePath { settings.stateDirectory.appending("failed").appending(settings.name) }
    public var archive: FilePath { settings.stateDirectory.appending("archive").appending(settings.name) }

    /// The archive's folder of one day, in UTC.
    func archive(on date: Date) -> FilePath { archive.appending(UTCDate(date).day) }
}

/// A date in UTC, as file names spell it.
package struct UTCDate {
    private let parts: (year: Int, month: Int, day: Int)
    private let secondOfDay: Int

    package init(_ date: Date) {
        let seconds = Int(date.timeIntervalSince1970.rounded(.down))
        var days = seconds / 86_400
        secondOfDay = ((seconds % 86_400) + 86_400) % 86_400
        if seconds < 0 && seconds % 86_400 != 0 { days -= 1 }
        // The civil calendar from a count of days, with years that begin in March so that the leap day is last.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        parts = (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }

    /// The day, as in `2026-11-21`.
    package var day: String { "\(parts.year)-\(two(parts.month))-\(two(parts.day))" }

    /// Day and time, as in `20261121T031500Z`.
    package var timestamp: String {
        "\(parts.year)\(two(parts.month))\(two(parts.day))T"
            + "\(two(secondOfDay / 3_600))\(two(secondOfDay / 60 % 60))\(two(secondOfDay % 60))Z"
    }

    private func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
