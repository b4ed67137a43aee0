package tsretry;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.Logger;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Property;
import org.apache.logging.log4j.spi.LoggerContext;
import org.pytorch.serve.ModelServer;
import org.pytorch.serve.snapshot.SnapshotManager;
import org.pytorch.serve.util.ConfigManager;
import org.pytorch.serve.wlm.Model;
import org.pytorch.serve.wlm.ModelManager;
import org.pytorch.serve.wlm.ModelVersionedRefs;
import org.slf4j.LoggerFactory;

/**
 * Why TorchServe made no model, or one without workers, of an archive that it was started with.
 *
 * <p>It says so once, in a warning with the exception (0.12.0 ModelServer.initModelStore), and goes on. Of a
 * snapshot, it restores no further model, and says why without saying of which one (SnapshotManager.initModels).
 * Plug-ins are made before that. Where the log's level leaves warnings out, no cause is known.
 */
final class Refusals extends AbstractAppender {
    private static final String TOLD = "Failed to load model: ";
    private static final Pattern RESTORE_TOLD =
            Pattern.compile("(?s)Error while (?:retrieving snapshot details|registering model)\\. Details: (.*)");
    private static final Pattern URL = Pattern.compile("(\\w+://)(?:[^/@\\s]*@)?([^/?\\s]*)\\S*");
    private static final Map<String, String> CAUSES = new ConcurrentHashMap<>();
    /** Models that were registered and given no workers, each with the cause. */
    private static final Map<Model, String> EMPTY = new ConcurrentHashMap<>();
    /** Names of models that the frontend had when it refused another one. */
    private static final Set<String> NAMES = ConcurrentHashMap.newKeySet();

    private static final List<Lost> LOST = new CopyOnWriteArrayList<>();
    private static volatile boolean isListening;

    private Refusals() {
        super("ts-retry-refusals", null, null, true, Property.EMPTY_ARRAY);
    }

    /** A version of a model that a snapshot names, and that was not restored. */
    static final class Lost {
        final String name;
        final String version;
        final boolean isDefault;
        /** Whether the snapshot has no other version of it. */
        final boolean isOnly;
        final String cause;

        Lost(String name, String version, boolean isDefault, boolean isOnly, String cause) {
            this.name = name;
            this.version = version;
            this.isDefault = isDefault;
            this.isOnly = isOnly;
            this.cause = cause;
        }
    }

    /**
     * Starts to listen to what TorchServe logs.
     *
     * <p>Its jar lacks the classes by which log4j tells who calls, so that its loggers lie in the current context;
     * with them, they lie in that of its class loader.
     */
    static void listen() {
        try {
            Refusals refusals = new Refusals();
            refusals.start();
            ClassLoader loader = ModelServer.class.getClassLoader();
            for (LoggerContext context : List.of(LogManager.getContext(true), LogManager.getContext(loader, false))) {
                ((Logger) context.getLogger(ModelServer.class.getName())).addAppender(refusals);
                ((Logger) context.getLogger(SnapshotManager.class.getName())).addAppender(refusals);
            }
            isListening =
                    LoggerFactory.getLogger(ModelServer.class).isWarnEnabled()
                            && LoggerFactory.getLogger(SnapshotManager.class).isErrorEnabled();
        } catch (RuntimeException | LinkageError otherLogging) {
            return; // Then no cause is known.
        }
    }

    /** Tells whether a refusal would be known: the level of the log lets it through. */
    static boolean isListening() {
        return isListening;
    }

    /** Returns the file names of the archives that were refused. */
    static Set<String> archives() {
        return CAUSES.keySet();
    }

    /** Returns the names of models that the frontend had when it refused another one. */
    static Set<String> names() {
        return NAMES;
    }

    /** Returns the versions of models that a snapshot names, and that were not restored. */
    static List<Lost> lost() {
        return LOST;
    }

    /** Returns why the archive with that path, or URL, was refused, or null where it was not. */
    static String cause(String archive) {
        return CAUSES.get(fileOf(archive));
    }

    /** Returns why this registration of a model was given no workers, or null where it was. */
    static String cause(Model model) {
        return EMPTY.get(model);
    }

    /** Takes it that a model has got workers: if it has none later, somebody wanted that. */
    static void hasWorkers(Model model) {
        EMPTY.remove(model);
    }

    /** Returns the last part of a path or URL. */
    static String fileOf(String archive) {
        return archive.substring(archive.lastIndexOf('/') + 1);
    }

    @Override
    public void append(LogEvent event) {
        String told = event.getMessage().getFormattedMessage();
        Throwable error = event.getThrown();
        Matcher restore = RESTORE_TOLD.matcher(told);
        if (told.startsWith(TOLD) && error != null) {
            String message = error.getMessage() == null ? "" : ": " + error.getMessage();
            String file = fileOf(told.substring(TOLD.length()).trim());
            CAUSES.put(file, shown(error.getClass().getSimpleName() + message));
            for (Model model : models()) {
                NAMES.add(model.getModelName());
                if (file.equals(fileOf(String.valueOf(model.getModelUrl()))) && isEmpty(model)) {
                    EMPTY.put(model, CAUSES.get(file));
                }
            }
        } else if (restore.matches()) {
            lose("TorchServe stopped restoring its snapshot: " + shown(restore.group(1)));
        }
    }

    /** Takes note of what a snapshot names and was not restored; what was to have no workers is not missed. */
    private static void lose(String cause) {
        List<Model> models = models();
        models.forEach(model -> NAMES.add(model.getModelName()));
        JsonObject snapshot = JsonParser.parseString(ConfigManager.getInstance().getModelSnapshot()).getAsJsonObject();
        for (Map.Entry<String, JsonElement> entry : snapshot.getAsJsonObject("models").entrySet()) {
            JsonObject versions = entry.getValue().getAsJsonObject();
            for (Map.Entry<String, JsonElement> version : versions.entrySet()) {
                JsonObject wanted = version.getValue().getAsJsonObject();
                if (wanted.get(Model.MAX_WORKERS).getAsInt() == 0) {
                    continue;
                }
                boolean isOnly = versions.size() == 1;
                Model found = null;
                for (Model model : models) {
                    boolean isIt = isOnly || model.getVersion().equals(version.getKey());
                    found = isIt && model.getModelName().equals(entry.getKey()) ? model : found;
                }
                if (found == null) {
                    boolean isDefault = wanted.get(Model.DEFAULT_VERSION).getAsBoolean();
                    LOST.add(new Lost(entry.getKey(), version.getKey(), isDefault, isOnly, cause));
                } else if (isEmpty(found)) {
                    EMPTY.put(found, cause);
                }
            }
        }
    }

    private static boolean isEmpty(Model model) {
        return ModelManager.getInstance().getWorkers(model.getModelVersionName()).isEmpty();
    }

    private static List<Model> models() {
        List<Model> models = new ArrayList<>();
        for (Map.Entry<String, ModelVersionedRefs> versions : ModelManager.getInstance().getAllModels()) {
            versions.getValue().getAllVersions().forEach(version -> models.add(version.getValue()));
        }
        return models;
    }

    /** A URL is cut after its host: what follows may hold a key. */
    static String shown(String text) {
        return URL.matcher(text).replaceAll("$1$2/…");
    }
}
