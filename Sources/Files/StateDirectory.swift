public import SystemPackage

/// Names in the state directory that several rooms share.
public enum StateDirectory {
    /// Holds files until they are whole and get their own names.
    ///
    /// One flat folder, so that what a crash leaves there is swept at the next start, whatever the history.
    public static let making: FilePath.Component = "making"
    /// Where operators put what they ask for.
    public static let requests: FilePath.Component = "requests"
    /// In that folder: touched to have the daemon look.
    public static let requestBell: FilePath.Component = "bell"
}
