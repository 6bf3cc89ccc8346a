// What Grafana does to frames before a panel draws them: transformations, then field options.
import {
  createTheme,
  getDisplayProcessor,
  getFieldDisplayName,
  standardTransformers,
  standardTransformersRegistry,
  transformDataFrame,
} from '@grafana/data';
import { cloneDeep, set } from 'lodash';
import { firstValueFrom } from 'rxjs';

const { mergeTransformer, filterFieldsByNameTransformer, organizeFieldsTransformer } = standardTransformers;

standardTransformersRegistry.setInit(() =>
  [mergeTransformer, filterFieldsByNameTransformer, organizeFieldsTransformer].map((transformer) => ({
    id: transformer.id,
    name: transformer.name,
    transformation: async () => transformer,
  })),
);

export async function transformed(panel, frames) {
  if (!panel.transformations?.length || !frames.some((frame) => frame.fields.length)) {
    return frames;
  }
  return firstValueFrom(transformDataFrame(panel.transformations, frames));
}

const MATCHERS = {
  byName: (name, field, frame, frames) => getFieldDisplayName(field, frame, frames) === name || field.name === name,
  byFrameRefID: (refId, _, frame) => frame.refId === refId,
};

// Over all frames: bars that stand side by side share a scale.
function reach(frames) {
  const values = frames.flatMap((frame) => frame.fields.filter(({ type }) => type === 'number').flatMap((field) => field.values));
  const [min, max] = [Math.min(...values), Math.max(...values)];
  return { min, max, delta: max - min };
}

export function withOptions(panel, frames, themeName) {
  const theme = createTheme({ colors: { mode: themeName } });
  const { defaults, overrides } = panel.fieldConfig;
  const range = reach(frames);
  let index = 0;
  return frames.map((frame, frameIndex) => ({
    ...frame,
    fields: frame.fields.map((field, fieldIndex) => {
      const numeric = field.type === 'number';
      const config = { ...cloneDeep(defaults), ...cloneDeep(field.config), custom: cloneDeep(defaults.custom) };
      for (const { matcher, properties } of overrides) {
        if (MATCHERS[matcher.id](matcher.options, field, frame, frames)) {
          properties.forEach(({ id, value }) => set(config, id, value));
        }
      }
      const state = { ...field.state, seriesIndex: numeric ? index : undefined, origin: { frameIndex, fieldIndex }, range: numeric ? range : undefined };
      const changed = { ...field, config, state };
      index += numeric ? 1 : 0;
      changed.display = getDisplayProcessor({ field: changed, theme, timeZone: 'browser' });
      changed.getLinks = () => (config.links ?? []).map(({ title, url }) => ({ title, href: url, target: '_self', origin: changed }));
      return changed;
    }),
  }));
}
