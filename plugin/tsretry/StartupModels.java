package tsretry;

import java.util.ArrayList;
import java.util.ConcurrentModificationException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.pytorch.serve.util.ConfigManager;

/**
 * Which models of {@code load_models} were never registered; see ts_retry_ext/snapshot/not_registered.py.
 *
 * <p>One that somebody has unregistered since is not missed: a probe saw it, or its workers wrote something.
 * {@code all}, and the models of a snapshot, are left to the sidecar, which reads archives and log.
 */
final class StartupModels {
    private final Set<String> seen = new HashSet<>();

    /** Takes what the frontend has registered at its start and still has. */
    synchronized void see(Set<String> registered) {
        try {
            seen.addAll(registered);
        } catch (ConcurrentModificationException changing) {
            return; // The next probe sees it.
        }
    }

    /**
     * Returns the names of those that are missing.
     *
     * @param present models that the frontend has
     * @param folders names of the folders that workers of this run made
     */
    synchronized List<String> missing(ConfigManager config, Set<String> present, Set<String> folders) {
        List<String> missing = new ArrayList<>();
        String named = config.getLoadModels();
        if (named == null || config.getModelSnapshot() != null || named.trim().equalsIgnoreCase("all")) {
            return missing;
        }
        Set<String> unexplained = new HashSet<>(seen);
        for (String folder : folders) {
            String model = folder.replaceFirst("-[0-9a-f]{8}$", "");
            if (!model.equals(folder) && !present.contains(model)) {
                unexplained.add(model);
            }
        }
        List<String> unnamed = new ArrayList<>();
        for (String entry : named.split(",")) {
            String[] pair = entry.trim().split("=", 2);
            String name = pair.length == 2 ? pair[0].trim() : nameOf(pair[0].trim());
            boolean isKnown = unexplained.remove(name) || present.contains(name) || hasWritten(name, folders);
            if (!name.isEmpty() && !isKnown) {
                (pair.length == 2 ? missing : unnamed).add(name);
            }
        }
        if (unexplained.isEmpty()) { // Else a manifest gave one of them another name.
            missing.addAll(unnamed);
        }
        return missing;
    }

    /** As 0.12.0 ModelServer.getDefaultModelName. */
    private static String nameOf(String url) {
        String file = url.substring(url.lastIndexOf('/') + 1);
        boolean isArchive = url.contains(".model") || url.contains(".mar");
        return (isArchive && file.contains(".") ? file.substring(0, file.lastIndexOf('.')) : file)
                .replaceAll("(\\W|^_)", "_");
    }

    /** As ts_retry_ext/store/directory.py, model_directory: the name, made safe, and a number. */
    private static boolean hasWritten(String name, Set<String> folders) {
        String safe = name.replaceAll("[^A-Za-z0-9._-]", "_");
        String start = safe.substring(0, Math.min(60, safe.length())).replaceAll("^\\.+", "") + "-";
        return folders.stream().anyMatch(folder -> folder.startsWith(start));
    }
}
