internal import Files
internal import SystemPackage

/// Tells a folder that is away, so that what was in it is no less there than before, from a file that is gone.
enum FolderAbsence {
    /// Whether there is no such folder now, or none that can be looked at.
    static func isAway(_ folder: FilePath) -> Bool {
        do throws(FileError) {
            return try FileLook.at(folder.appending(".")).kind != .directory
        } catch {
            return true
        }
    }
}
