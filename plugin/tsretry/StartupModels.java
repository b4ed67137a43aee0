package tsretry;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.ArrayList;
import java.util.ConcurrentModificationException;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.pytorch.serve.util.ConfigManager;

/**
 * Which models of {@code load_models} or of a snapshot were never registered; see
 * ts_retry_ext/snapshot/not_registered.py.
 *
 * <p>One that somebody has unregistered since is not missed: a probe saw it, or its workers wrote something.
 * With {@code all}, those that TorchServe refused are missed.
 */
final class StartupModels {
    private final Set<String> seen = new HashSet<>();
    private final Set<String> everPresent = new HashSet<>();

    /** Takes what the frontend has registered at its start and still has. */
    synchronized void see(Set<String> registered) {
        try {
            seen.addAll(registered);
        } catch (ConcurrentModificationException changing) {
            return; // The next probe sees it.
        }
    }

    /**
     * Returns the names of those that are missing, each with what it was to come from.
     *
     * @param present models that the frontend has, by name
     * @param archives file names of the archives that these came from
     * @param folders names of the folders that workers of this run made
     */
    synchronized Map<String, String> missing(
            ConfigManager config, Set<String> present, Set<String> archives, Set<String> folders) {
        everPresent.addAll(present);
        Map<String, String> missing = new LinkedHashMap<>();
        Map<String, String> unnamed = new LinkedHashMap<>();
        Set<String> unexplained = unexplained(present, folders);
        for (String entry : entries(config)) {
            String[] pair = entry.trim().split("=", 2);
            String url = pair[pair.length - 1].trim();
            String name = pair.length == 2 ? pair[0].trim() : nameOf(url);
            boolean isKnown = unexplained.remove(name) || everPresent.contains(name) || hasWritten(name, folders);
            if (name.isEmpty() || isKnown) {
                continue;
            }
            if (pair.length == 2) {
                missing.put(name, url);
            } else if (!archives.contains(Refusals.fileOf(url))) {
                (Refusals.cause(url) == null ? unnamed : missing).put(name, url);
            }
        }
        if (unexplained.isEmpty()) { // Else a manifest gave one of them another name.
            missing.putAll(unnamed);
        }
        return missing;
    }

    /** Returns what the server was started with: archives, or {@code name=archive}. */
    private static List<String> entries(ConfigManager config) {
        if (config.getModelSnapshot() != null) {
            List<String> named = new ArrayList<>();
            JsonObject snapshot = JsonParser.parseString(config.getModelSnapshot()).getAsJsonObject();
            snapshot.getAsJsonObject("models").keySet().forEach(name -> named.add(name + "=" + Refusals.SNAPSHOT));
            return named;
        }
        String named = config.getLoadModels() == null ? "" : config.getLoadModels();
        return named.trim().equalsIgnoreCase("all") ? List.copyOf(Refusals.archives()) : List.of(named.split(","));
    }

    /** Returns the names of models that were registered, and may be those of archives without one. */
    private Set<String> unexplained(Set<String> present, Set<String> folders) {
        Set<String> unexplained = new HashSet<>(seen);
        for (String folder : folders) {
            String model = folder.replaceFirst("-[0-9a-f]{8}$", "");
            if (!model.equals(folder) && !present.contains(model)) {
                unexplained.add(model);
            }
        }
        return unexplained;
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
