/** Warm rounds: the volumes are copied while the application runs, so that the final round has little left to do. */
import { bytesText, count } from '../../quantity-text.ts';
import { closeTarget, standing } from '../targets.ts';
import { thePlan } from '../sections.ts';
import { nameOf, volumeOf, type Run } from '../state.ts';
import { copyWarmRound } from '../warm-round.ts';

export async function seed(run: Run): Promise<string> {
  const { spec } = run.migration;
  const { volumes } = await thePlan(run);
  for (let warm = 0; warm < spec.warmRounds; warm += 1) {
    // An earlier run of this step may have done this round, or only its first half.
    const left = volumes.filter((volume) => (volumeOf(run.status, nameOf(volume)).have ?? -1) < warm);
    await copyWarmRound(run, left, async (_, status) => {
      // With very many volumes their movers would not all find room.
      if (volumes.length > standing) await closeTarget(run, status);
      const last = status.rounds.at(-1);
      run.log(
        'info',
        `round ${last?.round ?? 0}: ${count(last?.files ?? 0, 'file')}, ${bytesText(last?.bytes ?? 0)}, ${bytesText(last?.bytesChanged ?? 0)} new`,
        {
          volume: status.name,
        },
      );
    });
  }
  const bytes = run.status.volumes.reduce((sum, volume) => sum + (volume.rounds.at(-1)?.bytes ?? 0), 0);
  return spec.warmRounds === 0 ? 'no warm round asked for' : `${count(volumes.length, 'volume')}, ${bytesText(bytes)} are on the target`;
}
