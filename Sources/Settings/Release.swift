/// Which version of datarowd this is.
public enum Release {
    /// Of all programs; in their `--version`, in statuses and in requests.
    public static let version = "0.1.0"
}
